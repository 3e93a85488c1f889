package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.modeswitch.SiteAck;
import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LeaderServicesTest {
    private static final UUID LINEAGE = TestCluster.LOCAL_LINEAGE;
    private static final Epoch FIRST = TestCluster.FIRST;

    private static Mbr six() {
        Mbr two = TestCluster.mbr();
        return new Mbr(
                two.cluster(),
                two.name(),
                "p2",
                Map.of(Site.LOCAL, three("l"), Site.DR, three("d")),
                two.resourceDb(),
                two.defaultCatalog(),
                two.methodRepository(),
                two.epoch(),
                two.lineage(),
                two.chunking());
    }

    private static List<NodeAddress> three(String letter) {
        return Stream.of(1, 2, 3)
                .map(n ->
                        new NodeAddress(
                                letter + n,
                                "127.0.0." + n,
                                8443,
                                9871,
                                9872,
                                Set.of("backup-server")))
                .toList();
    }

    private static void enter(SiteAckBook book, String... nodes) {
        for (String node : nodes) {
            UUID storage =
                    UUID.nameUUIDFromBytes(node.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            book.enter(new SiteAck(LINEAGE, FIRST, 9, node, storage, FIRST), 5);
        }
    }

    /** Otherwise the own site, promoted again from two of its logs, might lack a protected entry. */
    @Test
    void protectedNeedsAnotherMemberOfTheOwnSite() {
        SiteAckBook book = LeaderServices.book(six(), Site.LOCAL, "l1", LINEAGE, FIRST);
        enter(book, "d1", "d2", "d3");
        assertThat(book.protectedIndex()).isEqualTo(-1);
        enter(book, "l3");
        assertThat(book.protectedIndex()).isEqualTo(9);
    }

    @Test
    void aSiteOfOneMemberNeedsTheOtherSiteOnly() {
        SiteAckBook book = LeaderServices.book(TestCluster.mbr(), Site.DR, "d1", LINEAGE, FIRST);
        enter(book, "l1");
        assertThat(book.protectedIndex()).isEqualTo(9);
    }
}
