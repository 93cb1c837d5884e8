"""Loads uv without pip: the wheel of this platform from the package index, checked against a pinned digest.

Usage: fetch_uv.py DIRECTORY PINS, where PINS holds lines of `<sha256>  <wheel name>`. Standard library only, Python 3.9
or newer. Places that are asked, in order: folders in PIP_FIND_LINKS, then the index (UV_DEFAULT_INDEX, PIP_INDEX_URL).
"""

import hashlib
import html.parser
import os
import platform
import shutil
import sys
import urllib.parse
import urllib.request
import zipfile

DEFAULT_INDEX = "https://pypi.org/simple"
TIMEOUT = 60


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.hrefs = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.hrefs.extend(value for name, value in attrs if name == "href" and value)


def pinned_wheel(pins):
    """The wheel for this machine: (file name, sha256)."""
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    system = {"Linux": "manylinux", "Darwin": "macosx"}.get(platform.system(), "?")
    with open(pins, encoding="utf-8") as lines:
        for line in lines:
            digest, name = line.split()
            if system in name and machine in name.replace("aarch64", "arm64"):
                return name, digest
    raise SystemExit("uv has no package for {} {}".format(platform.system(), platform.machine()))


def read(url):
    parts = urllib.parse.urlsplit(url)
    headers = {"Accept": "text/html", "User-Agent": "elt"}
    if parts.username is not None:
        import base64

        user = "{}:{}".format(urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    request = urllib.request.Request(urllib.parse.urlunsplit(parts), headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return answer.read()


def find(name):
    """The wheel's bytes."""
    for folder in os.environ.get("PIP_FIND_LINKS", "").split():
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return file.read()
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or DEFAULT_INDEX
    page = index.rstrip("/") + "/uv/"
    links = Links()
    links.feed(read(page).decode("utf-8", "replace"))
    for href in links.hrefs:
        url = urllib.parse.urljoin(page, href)
        if urllib.parse.unquote(urllib.parse.urlsplit(url).path).endswith("/" + name):
            # The index's user and password also open its files, if they lie on the same host.
            base, target = urllib.parse.urlsplit(page), urllib.parse.urlsplit(url)
            if base.username is not None and target.hostname == base.hostname and target.username is None:
                target = target._replace(netloc=base.netloc)
            return read(urllib.parse.urlunsplit(target._replace(fragment="")))
    raise SystemExit("the package index has no {}".format(name))


def main():
    directory, pins = sys.argv[1:]
    name, digest = pinned_wheel(pins)
    content = find(name)
    actual = hashlib.sha256(content).hexdigest()
    if actual != digest:
        raise SystemExit("{} has sha256 {} instead of {}".format(name, actual, digest))
    os.makedirs(os.path.join(directory, "bin"), exist_ok=True)
    wheel = os.path.join(directory, name)
    with open(wheel, "wb") as file:
        file.write(content)
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [entry for entry in archive.namelist() if entry.endswith("/scripts/uv")]
        target = os.path.join(directory, "bin", "uv")
        with archive.open(member) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file)
        os.chmod(target, 0o755)
    os.remove(wheel)


if __name__ == "__main__":
    main()
