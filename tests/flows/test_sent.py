"""A build whose config names a place sends the release there, verified, and nowhere else."""

import yaml

from shards.verify import verify


def _config(run, **release):
    stated = yaml.safe_load(run.config.read_text(encoding="utf-8"))
    stated["release"] |= release
    run.config.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")


def test_a_finished_release_is_sent_where_the_config_says(finished, endpoint, bimedv, tmp_path):
    copy = finished.copy(tmp_path / "copy", endpoint.url)
    _config(copy, version="0.2.0", to=(tmp_path / "store").as_uri() + "/{name}/{version}", in_house=True)
    built = bimedv("release", "build", copy.config, "--json")
    assert built.code == 0, built.err
    there = tmp_path / "store" / "small" / "0.2.0"
    assert built.json["to"].endswith("/store/small/0.2.0")
    assert built.json["sent"] == len([path for path in there.rglob("*") if path.is_file()])
    assert verify(there).ok
    again = bimedv("release", "build", copy.config, "--json").json
    assert (again["sent"], again["sha256"]) == (0, built.json["sha256"])
    _config(copy, version="0.3.0", in_house=False)
    refused = bimedv("release", "build", copy.config)
    assert refused.code == 4, "a corpus of these may not be passed on"
    assert not (tmp_path / "store" / "small" / "0.3.0").exists()


def test_a_hub_is_not_inside_the_house(finished, endpoint, bimedv, tmp_path):
    copy = finished.copy(tmp_path / "copy", endpoint.url)
    _config(copy, to="hub://owner/{nam}", in_house=False)
    refused = bimedv("release", "build", copy.config)
    assert (refused.code, "only {name} and {version} can stand in braces" in refused.err) == (2, True)
    _config(copy, to="hub://owner/name", in_house=True)
    refused = bimedv("release", "build", copy.config)
    assert (refused.code, "a Hub is not inside the house" in refused.err) == (2, True)
