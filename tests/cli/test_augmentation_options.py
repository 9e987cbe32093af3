"""Options of batches, augmentation and the learning rate arrive, and what is chosen is told."""

import elman as library

OPTIONS = {"jitter": 0.1, "scaling": 0.2, "time_warp": 0.3, "window_slice": 0.9}


def test_every_option_arrives_and_the_rate_that_was_chosen_is_told(elman, files, tmp_path, small):
    flags = [text for name, value in OPTIONS.items() for text in (f"--{name.replace('_', '-')}", value)]
    train = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction", *small, *flags]
    done = elman(*train, "--bucket-by-length", "--learning-rate", "auto")
    assert done.code == 0
    model = library.load(tmp_path / "m")
    expected = OPTIONS | {"bucket_by_length": True, "learning_rate": "auto"}
    assert {name: model.get_params()[name] for name in expected} == expected
    assert f"Learning rate {model.learning_rate_:g}, chosen by a range test.\n" in done.out
    assert f"learning_rate auto ({model.learning_rate_:g})" in " ".join(elman("info", tmp_path / "m").out.split())


def test_a_range_test_in_which_no_rate_stood_out_is_told_as_that(elman, tmp_path, small):
    rows = [f"{n},{step},0,{'ab'[n % 2]}" for n in range(20) for step in range(3)]
    (tmp_path / "still.csv").write_text("\n".join(["id,time,x,label", *rows]) + "\n")
    done = elman("train", tmp_path / "still.csv", "--model", tmp_path / "m", *small, "--learning-rate", "auto")
    assert "Learning rate 0.005, the default: in the range test no rate stood out." in done.prose


def test_a_learning_rate_that_is_no_rate_is_refused(elman, files, tmp_path):
    train = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction"]
    for text, shown in (("fast", "'fast'"), ("-1", "-1"), ("nan", "nan")):
        done = elman(*train, "--learning-rate", text)
        assert done.code == 2
        contract = "must be a float in the range (0.0, 1e+300) or 'auto'."
        assert f"--learning-rate {contract} Got {shown} instead." in " ".join(done.err.split())
