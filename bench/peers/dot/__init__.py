"""The peer: django-oauth-toolkit with Django REST framework, serving the same records on the same paths."""
