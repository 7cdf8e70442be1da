"""The grammar's vocabulary: what is done, to what, when and by whom."""

from __future__ import annotations

VERBS = tuple(
    "review finish draft write send prepare update check edit print sign submit organize plan research read proofread "
    "outline archive translate record approve order return cancel design test fix share present upload rename "
    "schedule close start complete revise format polish clean renew pay file book scan summarize analyze discuss "
    "confirm collect deliver".split()
)
VERBS_WITH_SOMEBODY = ("review", "discuss", "share", "plan", "check")
PURCHASES = tuple("buy find order get make water paint move charge replace".split())
PURCHASED = ("the", "a", "some", "my", "two", "three", "new")
CONTACTS = ("call", "email", "meet", "text", "thank", "remind")
IRREGULAR_PAST = {
    "write": "wrote",
    "send": "sent",
    "read": "read",
    "pay": "paid",
    "submit": "submitted",
    "plan": "planned",
    "buy": "bought",
    "call": "called",
    "book": "booked",
    "do": "did",
    "take": "took",
    "go": "went",
    "cook": "cooked",
    "meet": "met",
    "feed": "fed",
    "study": "studied",
    "learn": "learned",
    "set": "set",
    "pick": "picked",
    "back": "backed",
    "text": "texted",
    "find": "found",
    "get": "got",
    "make": "made",
    "run": "ran",
}
ADJECTIVES = tuple(
    "marketing quarterly annual budget sales project client team weekly final monthly product customer research "
    "training travel tax design hiring security conference holiday kickoff launch onboarding user legal financial "
    "internal new updated board website newsletter press partner vendor school garden kitchen chemistry history "
    "insurance wedding birthday summer winter engineering support status feedback science library gym car house phone "
    "dentist grant thesis".split()
)
NOUNS = (
    *"proposal report presentation email invoice plan contract slides budget agenda survey summary memo letter".split(),
    *"document checklist schedule spreadsheet draft article brief roadmap backlog notes form application".split(),
    *"review analysis forecast deck poster video essay paper policy guide tickets receipts files photos list".split(),
    *"order request outline story chapter page database prototype interview workshop".split(),
    "test plan",
    "meeting notes",
    "expense report",
    "blog post",
    "status update",
    "release notes",
    "bug report",
    "job posting",
    "shopping list",
)
CHORES = tuple(
    """buy groceries|call the dentist|call mom|pay the rent|pay the electricity bill|water the plants|walk the dog
clean the kitchen|do the laundry|book a flight|book a hotel|renew my passport|pick up the kids|pick up the package
back up my laptop|go to the gym|go for a run|take out the trash|wash the car|read a book|practice piano
study for the exam|study Spanish|learn Python|cook dinner|order lunch|feed the cat|fix the bike
return the library books|charge the camera|change the light bulb|meet with the team|follow up with the client
reply to emails|update my resume|file my taxes|plan the party|buy a gift|schedule a checkup|refill the prescription
unsubscribe from newsletters|organize my desk|set up the new printer|prepare for the interview|write in my journal
stretch for ten minutes""".replace("\n", "|").split("|")
)
NAMES = tuple(
    "Anna Ben Carlos Diana Emma Frank Grace Henry Ivy Jack Kate Leo Maria Noah Olivia Paul Quinn Rosa Sam Tina Uma "
    "Victor Wendy Xavier Yara Zoe Alex Priya Chen Fatima Omar Lucy Daniel Nina Tom Sarah David Julia Mark Lisa Peter "
    "Amy Ryan Helen Kevin Laura".split()
)
TOPICS = tuple(
    """the budget|the launch|hiring|the new website|the roadmap|sales|customer feedback|the contract|onboarding
the survey|the product demo|next quarter|the design|security|the conference|travel plans""".replace("\n", "|").split(
        "|"
    )
)
PROJECTS = (
    *"work home personal school finance health marketing research travel family garden".split(),
    "side project",
)
PRIORITIES = ("high", "medium", "low")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = tuple("January February March April May June July August September October November December".split())
DATES = (
    *WEEKDAYS,
    *"today|tomorrow|tonight|next week|this weekend|the end of the week|the end of the month".split("|"),
    *(f"next {day}" for day in WEEKDAYS),
)
SPANS = ("today", "tomorrow", "this week", "Monday", "Friday", "this weekend")
TIMES = (
    *(f"{hour} {half}" for hour in range(1, 13) for half in ("am", "pm")),
    *(
        f"{hour}:{minute} {half}"
        for hour in (8, 9, 10, 11, 1, 2, 3, 4)
        for minute in (15, 30, 45)
        for half in ("am", "pm")
    ),
    "noon",
)
OFF_TOPIC = tuple(
    """the weather in Paris|football|the moon|quantum physics|the stock market|pizza|the president|dinosaurs|the news
a joke|chess|the ocean|my horoscope|movies|the capital of France|black holes""".replace("\n", "|").split("|")
)
