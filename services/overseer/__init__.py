"""The overseer: supervisord's event listener, which counts deaths, raises alarms and has orphans retired."""
