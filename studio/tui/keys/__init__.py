"""The registry of actions and the keys that run them."""

from studio.tui.keys.actions import ACTIONS, BY_ID, Action, ActiveAction, active_actions, bindings, name_of

__all__ = ["ACTIONS", "BY_ID", "Action", "ActiveAction", "active_actions", "bindings", "name_of"]
