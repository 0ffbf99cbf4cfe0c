"""Django: `{% static %}`, `{% asset %}`, form media and the admin's own files through the manifest. At run time nothing of the
compiler is needed; only the management command `assetbuild` uses it."""
