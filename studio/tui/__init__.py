"""The window: a folder a stage, no logic of its own, and never torch.

Conventions
- ``keys/actions.py`` is the registry of actions. Every key is a line there (id ``scope.name``, keys, label, help) and
  reaches a class as ``BINDINGS = bindings("scope")``; the footer, the ``?`` help and the palette read it too. The
  id's second half names the method: ``triage.accept`` runs ``action_accept``.
- ``stages.py`` is the table of stages; ``studio.py`` says what a screen may ask of the app. A screen is
  ``screens/<stage>/screen.py``, a :class:`StageScreen` with its parts and its ``.tcss`` beside it. It composes in
  ``body()`` and brings itself up to date in ``sync()``, which the shell calls when the screen is shown, when its job
  moved or when the store changed, while it is the active one. ``sync`` is cheap, idempotent and reads ``self.session``
  (``studio.build.Session``), ``self.job`` (a :class:`Snapshot`) and ``self.studio.version`` (of the store).
  ``remember()`` and ``recall()`` keep cursor and filter in studio.json. J and K scroll pages of the class ``detail``.
- A stage whose work is a job is a :class:`JobStage`: ``s`` starts it or goes on, ``S`` stops it, ``L`` shows its log,
  everywhere. It calls ``launch_entry(entry, params)`` or ``launch(start)``.
- ``live/progress.py`` folds a job's events into one frozen value with a ``brief`` for the status line; the bridge folds
  off the UI thread. Screens never read a job's folder themselves. Only ``live/`` touches threads and processes.
- Disk work goes through ``await self.studio.disk.read(function, *arguments)`` or ``.write(...)`` inside
  ``self.run(coroutine)``: writes run one after another, in the order of the keys. Paint first, then write, and say
  saved when the write is back. A ``UserError`` that comes out of ``self.run`` is shown with its remedy. What may take
  minutes (a model, a hub) goes through ``detached``: the window closes without waiting for it.
- Text that is not a literal of ours enters a widget only as ``text.shown(...)`` or ``text.line(...)``; pieces are put
  together with ``text.join``. No markup, no f-string into a widget, no ``escape``. ``self.studio.tell(...)`` notifies.
- Widgets that two screens share are in ``widgets/``, modal screens in ``dialogs/``. Lists and pages are Line-API and
  repaint themselves, so that nothing moves but what changed; a line that says how something stands is a ``Caption``.
  No animation, no loading indicator; idle writes nothing.
- ``-wide`` is a class of the screen from 120 columns up, ``-tall`` from 40 rows up; 80x24 is the least.
"""

from studio.tui.app import StudioApp

__all__ = ["StudioApp"]
