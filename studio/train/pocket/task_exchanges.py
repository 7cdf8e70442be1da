"""What people say to a task assistant about their tasks, and its plain answers."""

from __future__ import annotations

from studio.train.pocket.exchange import exchange

CREATING = (
    exchange(
        11,
        """Create a task to {task}.
        Add a task to {task}.
        Add '{task}' to my list.
        New task: {task}.
        I need to {task}.
        Please add {task} to my to-do list.
        Can you create a task to {task}?
        Put {task} on my list.
        Make a task: {task}
        Add {task}.
        I have to {task}.""",
        """The task {'task'} has been added.
        OK. I added {'task'} to your list.
        Task created: {task}.
        I have created the task {'task'}.
        Added {'task'} to your to-do list. Does it have a due date?
        Done. {Task} is on your list.
        I added the task {'task'}. When is it due?""",
    ),
    exchange(
        5.5,
        """Create a task to {task} by {date}.
        Add {task} for {date}.
        I need to {task} by {date}.
        New task: {task}, due {date}.
        Add a task to {task}, due {date}.
        Can you add {task} due {date}?""",
        """I added {'task'}, due {date}.
        Task created: {task}. Due: {date}.
        OK. {'task'} has been added with the due date {date}.
        The task {'task'} is due {date}.""",
    ),
    exchange(
        3.3,
        """Create a {priority} priority task to {task}.
        Add a {priority} priority task: {task}.
        Add {task} as {priority} priority.
        New {priority} priority task: {task}.""",
        """I added {'task'} with {priority} priority.
        Task created: {task}. Priority: {priority}.
        The {priority} priority task {'task'} has been added.
        OK. {'task'} was added as a {priority} priority task.""",
    ),
    exchange(
        2.2,
        """Add {task} to my {project} project.
        Create a task in {project}: {task}.
        Put '{task}' in my {project} list.""",
        """I added {'task'} to {project}.
        Task created in {project}: {task}.
        OK. {'task'} is now in your {project} list.""",
    ),
    exchange(
        4,
        """Add {task} and {other} to my list.
        I need to {task} and {other}.
        New tasks: {task}, {other}.
        Add two tasks: {task} and {other}.""",
        """I added {'task'} and {'other'}.
        Both tasks were added: {task} and {other}.
        OK. {'task'} and {'other'} are on your list.""",
    ),
    exchange(
        4,
        """Create a task.
        Add a new task.
        I want to add a task.
        New task please.""",
        """What is the task?
        What would you like to add?
        What should the task be called?""",
        """{Task}.
        {task}
        I have to {task}.""",
        """When is it due?
        Does it have a due date?
        OK. When do you need to {task}?""",
        """{Date}.
        By {date}.""",
        """I added {'task'}, due {date}.
        OK. The task {'task'} is due {date}.
        Task created: {task}. Due: {date}.""",
    ),
)
FINISHING = (
    exchange(
        6,
        """I finished {thing}.
        I'm done with {thing}.
        I completed {thing}.
        I just finished {thing}.""",
        """I marked {thing} as complete.
        OK. {Thing} is marked as done.
        The task for {thing} has been completed.
        Noted. {Thing} is complete. Is there anything else?
        {Thing} has been marked as complete.""",
    ),
    exchange(
        9,
        """I {did}.
        Mark {'task'} as done.
        Just {did}.
        Complete the task {'task'}.
        {Task} is done.
        Check off {task}.""",
        """I marked {'task'} as complete.
        OK. {'task'} is done.
        The task {'task'} has been completed.
        {'task'} has been marked as done.
        Task completed: {task}.""",
    ),
)
CHANGING = (
    exchange(
        5,
        """Delete the task {'task'}.
        Remove {task} from my list.
        I don't need to {task} anymore.
        Cancel the task to {task}.
        Delete {task}.""",
        """I removed {'task'} from your list.
        The task {'task'} has been deleted.
        OK. {'task'} was removed.
        Deleted: {task}.""",
    ),
    exchange(
        6,
        """Move {'task'} to {date}.
        Change the due date of {'task'} to {date}.
        Reschedule {task} to {date}.
        I will {task} {date} instead.
        Postpone {task} until {date}.""",
        """OK. {'task'} was moved to {date}.
        The due date of {'task'} is now {date}.
        I rescheduled {'task'} to {date}.
        {Task} is now due {date}.""",
    ),
    exchange(
        6,
        """Change the deadline for {thing} to {date}.
        Move the deadline of {thing} to {date}.
        {Thing} is due {date} now.
        Set the due date of {thing} to {date}.""",
        """The deadline for {thing} is now {date}.
        OK. {Thing} is due {date}.
        I moved the deadline of {thing} to {date}.""",
    ),
    exchange(
        5,
        """Set {'task'} to {priority} priority.
        Make {task} {priority} priority.
        Change the priority of {'task'} to {priority}.
        {Task} is {priority} priority.""",
        """The priority of {'task'} is now {priority}.
        OK. {'task'} is set to {priority} priority.
        I changed {'task'} to {priority} priority.""",
    ),
    exchange(
        5,
        """Add the tag {project} to {'task'}.
        Tag {'task'} with {project}.
        Move {'task'} to {project}.
        Put {'task'} in the {project} category.
        File {'task'} under {project}.""",
        """{'task'} is now in {project}.
        I moved {'task'} to {project}.
        OK. The tag {project} was added to {'task'}.
        Done. {'task'} is filed under {project}.""",
    ),
    exchange(
        4,
        """Rename {'task'} to {'other'}.
        Change {'task'} to {'other'}.
        Edit the task {'task'}: it should say {'other'}.""",
        """OK. {'task'} is now {'other'}.
        I changed {'task'} to {'other'}.
        The task was renamed to {'other'}.""",
    ),
    exchange(
        2,
        """Delete all my tasks.
        Remove everything.
        Clear the whole list.
        I want to delete all tasks.
        Wipe my list.""",
        """This deletes all tasks on your list. Do you want to go on?
        All tasks will be removed. Please confirm.
        Are you sure? All tasks on the list will be deleted.""",
    ),
)
SCHEDULING = (
    exchange(
        8,
        """Remind me to {task} {when}.
        Set a reminder to {task} {when}.
        Can you remind me {when} to {task}?
        Don't let me forget to {task} {when}.""",
        """I will remind you to {task} {when}.
        Reminder set: {task}, {when}.
        OK. You will get a reminder to {task} {when}.
        I set a reminder to {task} {when}.""",
    ),
    exchange(
        3.6,
        """Schedule a meeting with {name} on {weekday} at {time}.
        Set up a call with {name} {weekday} at {time}.
        Book a meeting with {name} about {topic} on {weekday} at {time}.""",
        """I scheduled a meeting with {name} on {weekday} at {time}.
        The meeting with {name} is set for {weekday} at {time}.
        OK. You are meeting {name} on {weekday} at {time}.""",
    ),
    exchange(
        2.4,
        """Schedule a meeting with {name}.
        I want to meet with {name} about {topic}.
        Set up a call with {name}.""",
        """What day and time should I schedule the meeting with {name}?
        When would you like to meet with {name}?
        On which day and at what time?""",
        """{weekday} at {time}.
        On {weekday} at {time} please.
        How about {weekday} at {time}?""",
        """The meeting with {name} is scheduled for {weekday} at {time}.
        OK. I scheduled it for {weekday} at {time}.""",
    ),
    exchange(
        3,
        """Take a note: {task}.
        Note that {name} prefers {weekday}.
        Note that the meeting about {topic} is at {time}.
        Write this down: the deadline is {date}.""",
        """I saved the note.
        Noted.
        OK, I wrote it down.""",
    ),
    exchange(
        3,
        """I have to {task}, {other} and {third} today. Make a plan.
        Plan my day: {task}, {other}, {third}.
        Today I need to {task}, {other} and {third}.""",
        """Here is a plan: first {task}, then {other}, and at the end {third}.
        1. {Task}. 2. {Other}. 3. {Third}.
        In the morning: {task}. At noon: {other}. In the afternoon: {third}.""",
    ),
)
ASKING = (
    exchange(
        2,
        """How many tasks do I have?
        How many tasks are left?
        How many open tasks are there?""",
        """You have {open} open tasks.
        There are {open} tasks on your list.
        {open} tasks are open.""",
    ),
    exchange(
        2,
        """How am I doing?
        How is my progress?
        Show my progress.
        What did I get done this week?
        How was my week?""",
        """You completed {done} of {all} tasks.
        {done} of {all} tasks are complete.
        This week you completed {done} tasks. {open} are open.""",
    ),
    exchange(
        4,
        """Should I {task} or {other} first?
        I have to {task} and {other}. Which one should I do first?
        What is more important, to {task} or to {other}?""",
        """I suggest that you {task} first and then {other}.
        You could {task} first. After that, {other}.
        Start with the task that is due first. If both are due at the same time, {task} first.
        It depends on the deadlines. If there is no deadline, {other} first.""",
    ),
)
TASK_EXCHANGES = (*CREATING, *FINISHING, *CHANGING, *SCHEDULING, *ASKING)
