"""Who gets which partitions: as Faust deals them out, or not at all while the leader knows no topic."""

from aiokafka.cluster import ClusterMetadata
from faust.assignor.partition_assignor import (
    MemberAssignmentMapping,
    MemberMetadataMapping,
    PartitionAssignor,
)


class TopicUnknown(Exception):
    """The brokers have just come up and do not name the topic yet; partitions can't be dealt out."""


class WholeAssignor(PartitionAssignor):
    """Faust's own leaves out a topic that is missing; then everybody has nothing, for good and in silence.

    It inherits because Faust wants a class of its kind.
    """

    def assign(
        self, cluster: ClusterMetadata, member_metadata: MemberMetadataMapping
    ) -> MemberAssignmentMapping:
        """Raises TopicUnknown, which ends this member's part in the group: it starts anew."""
        wanted = {topic for member in member_metadata.values() for topic in member.subscription}
        if missing := sorted(topic for topic in wanted if not cluster.partitions_for_topic(topic)):
            raise TopicUnknown(", ".join(missing))
        return super().assign(cluster, member_metadata)
