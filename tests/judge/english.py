"""Good English that no rule was made from."""

from __future__ import annotations

# Ordinary sentences, and at the end some with unusual but correct joints.
GOOD = """\
The bus that you were waiting for left ten minutes ago.
Whoever told you that was not being fair to you.
I'd rather not be the one who decides this.
How is it that nobody thought of the weather?
It isn't what you said but how you said it that stung.
Once you have signed it, send it back to us by Friday.
As far as I can tell, the invoice was paid twice.
Neither of them had any idea of what it would cost.
What I like about it is that it can be undone.
There is no need to do it all at once.
The one on the left is yours and the other is mine.
Would you have him call me when he is in?
Not only is it late, it is also wrong.
You may as well take both of them with you.
All you have to do is press the green button.
She asked whether or not we had been there before.
Had I known, I would have brought an umbrella.
Let me know if there is anything else I can do for you.
It was the kind of day on which nothing goes to plan.
The more you wait, the less there will be to choose from.
If I were you, I would start with the smallest box.
Most of what we own is never used.
So far so good, but the hard part is still to come.
Who are you going with, and when will you be back?
The room we were in was too small for the three of us.
Don't let it get to you; it happens to the best of us.
To be or not to be is not the question here.
I'll have it ready for you by the time you are back.
Nothing that can be said about it has not been said.
You'll find the key under the mat, or else above the door.
Why not ask the woman who runs the shop what she thinks?
It takes about an hour from here to the coast by train.
That is something I can't help you with, I'm afraid.
Some of us are in favor of it, and some are against it.
Be that as it may, the form has to be in by noon.
Here is what you do: breathe in, count to four, and breathe out.
My guess is that the letter was never sent at all.
What are the two of you up to this weekend?
Is there any way that we could meet before the end of the month?
I was told to wait, so I did, but no one came for me.
Your account will be credited within three working days.
He said he would, and for once he did.
The harder it is to open, the safer it is for the children.
Should the pain get worse, see a doctor at once.
I can neither confirm nor deny that the cat was in.
You were right to be careful with the old ladder.
The ones I bought for her are from a shop in Lisbon.
Where it goes from there is up to you and me.
This is as good as it gets without a bigger oven.
Give it to whoever is at the front desk.
We've done more in a week than they did in a year.
Is what he says true, or is he making it up?
On the whole I think we should let them have it.
That one is on me, since you paid for the last.
You had better take a coat, for it is cold out.
Two of the five plants have not been watered since you left.
The best thing for you is a short break.
The project it belongs to is archived.
What works for you is fine.
Where you are is fine.
The two steps under it are done.
You could and should be proud of it.
You and she are both invited to the demo.
The person you spoke to is back on Monday.
I moved it to and from the archive.
Is it my or your turn?
Your and my lists are merged.
If need be I can move it.
What this comes down to is one phone call.
Let it be is a fine rule.
The meeting I invited you to was moved.
""".strip().splitlines()

# Full of small words, and written after the table was counted and its limit set.
UNUSUAL = """\
Tell me which of them you would keep if you had to choose.
By the time it got to us, half of it had melted.
No one but her had seen what was in the box.
It is up to whoever comes last to lock up.
I did what I could, and that was not much.
They are as good as new, if not better.
Are any of these yours, or are they all mine?
The train to Oslo is the one that leaves from here.
What for, if I may ask?
Not that it matters now, but I was the first to call.
You can have mine, for I am not going to need it.
As it is, we are over budget by about a third.
Whether it is or is not, we should have been told.
He gave it to me, not to you.
Off you go, and don't be too late.
How come she is still up at this hour?
There must be more to it than that.
The best of it is yet to come.
We could all do with some sleep.
If it were not for you, none of this would be here.
I can see where you are coming from, yet I would not do it.
Put it where it was, and leave it there.
It will have been a year by then.
Every one of those that we had is out on loan.
Up until now it has been fine.
Let's not, and say we did.
Some people are just like that, and so am I.
Which is it to be, the red or the blue?
It was she who wrote it, and he who took the credit.
Would that be with or without sugar?
So be it, we will go on our own.
For all I know, he may be in there with her.
Nor did they, as it turned out.
That which is easy to say is often hard to do.
More often than not it is a loose wire.
What is more, it was free.
My own view is that you had better not.
Is that what you were after?
To whom it may concern, the lift is out of order.
Down by the river there is a bench under an old tree.
""".strip().splitlines()
