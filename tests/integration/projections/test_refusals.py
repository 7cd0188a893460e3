"""When log and rows no longer belong together the projector ends with a sentence, and begins nothing anew."""

from pathlib import Path

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.integration.projections.live import LiveLog, until
from tests.programs import Program, running
from tests.servers import World


def tell(live: LiveLog, *assets: object) -> None:
    ada = live.owner("ada")
    for asset in assets:
        live.append(*live.stories.whole(asset, ada))


def ended(world: World, folder: Path) -> tuple[int | None, str]:
    """Exit code and output of a projector that is expected to end by itself."""
    program = Program(["projections"], world.env, folder)
    with running(program):
        until(lambda: not program.alive(), f"the projector to end; it says {program.output()[-2000:]}")
        return program.process.returncode, program.output()


def test_a_log_that_was_cut_behind_its_back_stops_it(world: World, live: LiveLog, tmp_path: Path) -> None:
    tell(live, *range(20))
    ends = {record.partition: record.offset + 1 for record in live.records()}
    admin = AdminClient(live.settings.kafka.client())
    cut = admin.delete_records([TopicPartition(live.loop.topic, number, end) for number, end in ends.items()])
    for done in cut.values():
        done.result(20)
    code, said = ended(world, tmp_path)
    assert code == 1
    assert "the log does not hold the next record" in said
    assert live.rows("select count(*) from live.assets") == [(0,)]


def test_a_topic_made_anew_under_the_same_name_stops_it_until_a_reset(
    world: World, live: LiveLog, tmp_path: Path
) -> None:
    live.forget_log()
    live.reset()
    projector = Program(["projections"], world.env, tmp_path)
    with running(projector):
        projector.wait_ready()
        tell(live, "old")
        live.wait_applied()
    live.forget_log()
    tell(live, "new")
    code, said = ended(world, tmp_path)
    assert code == 1
    assert "was deleted and made anew" in said
    live.reset()
    with running(projector.restart()):
        projector.wait_ready()
        live.wait_applied()
    assert live.rows("select count(*) from live.assets") == [(1,)]


def test_another_number_of_partitions_than_the_settings_say_stops_it(world: World, tmp_path: Path) -> None:
    env = {**world.env, "KAFKA_PARTITIONS": "7"}
    program = Program(["projections"], env, tmp_path)
    with running(program):
        until(lambda: not program.alive(), "the projector to end")
        assert program.process.returncode == 1
        assert "partitions" in program.output()
