"""The site: every public name has a page, and the built pages are whole in a browser."""

import contextlib
import inspect
import json
import re
import shutil
import subprocess
import sys
from email.message import Message
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sklearn.base import BaseEstimator

from sklearn_rnn import RNNForecaster, _links

DOCS = Path(__file__).resolve().parent.parent / "docs"
SITE = DOCS / "_build" / "html"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPENED = (
    "index",
    "few_labels",
    "gallery/index",
    "reference/SemiSupervisedRNNClassifier",
    "objectives/index",
    "quality",
)
LOOK = """<!doctype html><body><script>
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
async function open(path, width) {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = path;
  document.body.append(frame);
  await new Promise((done) => (frame.onload = done));
  return frame;
}
async function look() {
  const seen = [];
  for (const page of PAGES) for (const width of [1300, 390]) {
    const frame = await open(page + ".html", width);
    for (const image of frame.contentDocument.images) image.loading = "eager";
    await wait(500);
    const images = [...frame.contentDocument.images];
    const broken = images.filter((image) => !image.naturalWidth).map((image) => image.src);
    seen.push([page, width, frame.contentDocument.documentElement.scrollWidth, broken]);
    frame.remove();
  }
  const search = await open("search.html?q=fixmatch", 1300);
  let found = [];
  for (let i = 0; i < 50 && !found.length; i++) {
    await wait(200);
    found = [...search.contentDocument.querySelectorAll("#search-results li a")].map((link) => link.textContent);
  }
  document.body.innerHTML = "<pre id=seen></pre>";
  document.getElementById("seen").textContent = JSON.stringify({seen, found});
}
look();
</script></body>"""


@pytest.fixture(scope="module")
def make_pages():
    sys.path.insert(0, str(DOCS / "tools"))
    try:
        import make_pages
    finally:
        sys.path.pop(0)
    return make_pages


def measured(folder):
    """Copy the runs that the pages show."""
    for name in ("quality.csv", "pretraining.csv"):
        shutil.copy(DOCS / name, folder)


def test_every_public_name_is_in_the_reference(make_pages, tmp_path):
    measured(tmp_path)
    make_pages.write(tmp_path)
    index = (tmp_path / "reference" / "index.rst").read_text()
    names = [(module, name) for module in make_pages.modules().values() for name in module.__all__]
    assert len(names) > 150
    for module, name in names:
        section = index.partition(f"\n{module.__name__}\n---")[2]
        target = re.search(rf":doc:`{name} </(.+?)>`", section)[1]
        page = (tmp_path / f"{target}.rst").read_text()
        assert re.search(rf"^\.\. auto\w+:: {name}$", page, re.MULTILINE), (module.__name__, name)


def test_every_objective_with_a_name_has_a_page_and_a_line_in_the_table(make_pages, tmp_path):
    measured(tmp_path)
    make_pages.write(tmp_path)
    table = (tmp_path / "objectives" / "index.rst").read_text()
    for task in ("classification", "tagging", "regression", "transcription", "representation"):
        for name in make_pages.objective_names(task):
            assert f'``"{name}"``' in table


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """What a browser sees of the built pages: their widths, broken images, and what a search finds."""
    if not (SITE / "index.html").exists():
        pytest.skip("the site is not built: make docs")
    if BROWSER is None:
        pytest.skip("no Chromium")
    pages = json.dumps(OPENED)

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/look":
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(LOOK.replace("PAGES", pages).encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    options += ["--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--dump-dom"]
    options += ["--virtual-time-budget=60000", f"--user-data-dir={tmp_path_factory.mktemp('browser')}"]
    try:
        url = f"http://127.0.0.1:{server.server_port}/look"
        dom = subprocess.run([BROWSER, *options, url], capture_output=True, text=True, timeout=300).stdout
    finally:
        server.shutdown()
        server.server_close()
    return json.loads(re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)[1].replace("&amp;", "&"))


@pytest.mark.slow
def test_no_page_scrolls_sideways_and_no_image_is_broken(looked):
    assert len(looked["seen"]) == 2 * len(OPENED)
    for page, width, needed, broken in looked["seen"]:
        assert needed <= width, (page, width, needed)
        assert not broken, (page, broken)


@pytest.mark.slow
def test_the_search_of_the_site_finds_an_objective(looked):
    assert "FixMatch" in looked["found"]


def test_a_notebook_links_to_the_page_of_each_class_with_parameters(make_pages, monkeypatch):
    monkeypatch.setattr(_links, "site", lambda: "https://site")
    pages = make_pages.places()
    linked = 0
    for short, module in make_pages.modules().items():
        for name in module.__all__:
            cls = getattr(module, name)
            base = inspect.isabstract(cls) or name.endswith(("Objective", "Estimator"))
            if isinstance(cls, type) and issubclass(cls, BaseEstimator) and not base:
                with contextlib.suppress(TypeError):  # it has parameters without a default
                    assert cls()._get_doc_link() == f"https://site/{pages[short, name]}.html"
                    linked += 1
    assert linked > 50
    assert 'href="https://site/reference/RNNForecaster.html"' in RNNForecaster()._repr_html_()


def test_there_is_no_link_without_an_address_of_the_documentation(monkeypatch):
    monkeypatch.setattr(_links, "site", lambda: "")
    assert RNNForecaster()._get_doc_link() == ""
    assert "href" not in RNNForecaster()._repr_html_()


def test_the_address_of_the_documentation_is_that_of_the_installed_package(monkeypatch):
    message = Message()
    message["Project-URL"] = "Source, https://code"
    message["Project-URL"] = "Documentation, https://site/stable/"
    monkeypatch.setattr(_links, "metadata", lambda name: message)
    assert _links.site.__wrapped__() == "https://site/stable"


def test_a_class_of_a_user_has_no_page(monkeypatch):
    monkeypatch.setattr(_links, "site", lambda: "https://site")

    class Own(RNNForecaster):
        pass

    assert Own()._get_doc_link() == ""
