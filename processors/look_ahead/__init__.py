"""Looking ahead: what the log already says of the jobs of a partition, known before they are worked on."""

from processors.look_ahead.follower import KafkaLookAhead
from processors.look_ahead.job_index import Begin, GiveUp, JobFact, JobIndex, Skip
from processors.look_ahead.protocol import InMemoryLookAhead, LookAhead

__all__ = [
    "Begin",
    "GiveUp",
    "InMemoryLookAhead",
    "JobFact",
    "JobIndex",
    "KafkaLookAhead",
    "LookAhead",
    "Skip",
]
