"""What is measured of draws that lie in a folder."""

import pushforward as pf
from pushforward.compare.keep import Job, write_records
from pushforward.compare.measuring import _guided
from pushforward.metrics import Battery, Measured


def test_texts_as_conditions_are_not_judged_under_guidance_either(tmp_path):
    records = pf.read({"x": range(80), "k": ["a", "b"] * 40, "t": ["one two", "three"] * 40}, text=["t"])
    write_records(tmp_path / "guided-2.arrow", records)
    job = Job("diffusion", {}, 0, 1.0, ("t", "k"), 80, weights=(2.0,))
    (found,) = _guided(job, tmp_path, Battery(records[:40], records[40:], given=job.given)).values()
    assert found["condition t"] == "'t' is text, which is not judged; only categories and numbers are"
    assert isinstance(found["condition k"], Measured) and isinstance(found["coverage"], Measured)
