package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.modeswitch.SiteAck;
import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.replication.raft.Member;
import io.holdfast.replication.ship.ShipReport;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private static SiteDescription standby(String node, Site site) {
        return new SiteDescription(
                node,
                UUID.randomUUID(),
                site,
                "STANDBY",
                Optional.of(FIRST),
                Optional.of(FIRST),
                true,
                Optional.of(LINEAGE),
                1,
                1,
                1,
                0,
                false,
                "SYNC",
                0,
                "test",
                ShipReport.NONE);
    }

    private static Member adopted(Mbr mbr, List<Member> now, String node) {
        NodeAddress address = mbr.node(node).orElseThrow();
        Site of = mbr.siteOf(node).orElseThrow();
        return LeaderServices.layout(mbr, Site.LOCAL, now, address, standby(node, of));
    }

    /** Two and two voters would leave local without a majority of its own when DR is lost. */
    @Test
    void thePassiveSiteVotesOnlyBesideAMajorityOfTheActiveOne() {
        Mbr mbr = six();
        List<Member> now = new ArrayList<>();
        now.add(adopted(mbr, now, "l1"));
        assertThat(adopted(mbr, now, "d1").voter()).as("1+1").isFalse();
        now.add(adopted(mbr, now, "l2"));
        now.add(adopted(mbr, now, "d1"));
        now.add(adopted(mbr, now, "d2"));
        assertThat(now).extracting(Member::voter).containsExactly(true, true, true, false);
        now.add(adopted(mbr, now, "l3"));
        assertThat(adopted(mbr, now, "d2").voter()).as("the listener may vote now").isTrue();
        now.set(3, adopted(mbr, now, "d2"));
        assertThat(adopted(mbr, now, "d3").voter()).isFalse();
        assertThat(adopted(mbr, now, "l2").voter()).isTrue();
    }

    @Test
    void aSiteOfOneMemberNeedsTheOtherSiteOnly() {
        SiteAckBook book = LeaderServices.book(TestCluster.mbr(), Site.DR, "d1", LINEAGE, FIRST);
        enter(book, "l1");
        assertThat(book.protectedIndex()).isEqualTo(9);
    }
}
