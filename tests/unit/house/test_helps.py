"""Each of our programs says what it is for when it is asked, before it looks at any setting."""

import pytest

import api.__main__
import projections.__main__

PROGRAMS = {
    "api": (api.__main__.main, "Serves the doors"),
    "projections": (projections.__main__.main, "assets, identity, operations"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_tells_what_it_does(
    program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")  # nothing that it could start with
    main, said = PROGRAMS[program]
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert f"python -m {program}" in told
    assert said in told


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_word_it_does_not_know_ends_it(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        PROGRAMS[program][0](["--helo"])
    assert ended.value.code == 2
    assert "--helo" in capsys.readouterr().err
