package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SiteAckBookTest {
    private static final UUID LINEAGE = new UUID(1, 1);
    private static final Epoch E1 = new Epoch(1, Site.LOCAL);
    private static final Epoch E2 = new Epoch(2, Site.DR);

    private static UUID incarnation(int n) {
        return new UUID(9, n);
    }

    private static SiteAck ack(String node, int incarnation, long index) {
        return new SiteAck(LINEAGE, E1, index, node, incarnation(incarnation), E1);
    }

    private static SiteAckBook admitted() {
        SiteAckBook book = new SiteAckBook(LINEAGE, E1, Set.of("d1", "d2", "d3"), 2);
        book.admit("d1", incarnation(1));
        book.admit("d2", incarnation(2));
        book.admit("d3", incarnation(3));
        return book;
    }

    @Test
    void protectedIsTheSecondLargestOfThree() {
        SiteAckBook book = admitted();
        assertThat(book.protectedIndex()).isEqualTo(-1);
        book.enter(ack("d1", 1, 10), 10);
        assertThat(book.protectedIndex()).isEqualTo(-1);
        book.enter(ack("d2", 2, 7), 10);
        assertThat(book.protectedIndex()).isEqualTo(7);
        book.enter(ack("d3", 3, 9), 10);
        assertThat(book.protectedIndex()).isEqualTo(9);
        book.enter(ack("d3", 3, 4), 10);
        assertThat(book.protectedIndex()).as("reordered").isEqualTo(9);
    }

    @Test
    void strangersAndOtherLineagesDoNotCount() {
        SiteAckBook book = new SiteAckBook(LINEAGE, E1, Set.of("d1"), 1);
        book.admit("d1", incarnation(1));
        assertThat(book.enter(ack("x", 1, 10), 10)).isFalse();
        assertThat(book.enter(new SiteAck(new UUID(5, 5), E1, 10, "d1", incarnation(1), E1), 10))
                .isFalse();
        assertThat(book.protectedIndex()).isEqualTo(-1);
    }

    @Test
    void higherPromiseStopsCountingForGood() {
        SiteAckBook book = new SiteAckBook(LINEAGE, E1, Set.of("d1"), 1);
        book.admit("d1", incarnation(1));
        book.enter(ack("d1", 1, 10), 10);
        assertThat(book.protectedIndex()).isEqualTo(10);
        assertThat(book.enter(new SiteAck(LINEAGE, E1, 20, "d1", incarnation(1), E2), 20))
                .isFalse();
        assertThat(book.protectedIndex()).isEqualTo(-1);
        assertThat(book.enter(ack("d1", 1, 15), 20)).as("an old one, late").isFalse();
        assertThat(book.protectedIndex()).isEqualTo(-1);
    }

    @Test
    void wipedMemberCountsAgainBehindItsBarrier() {
        SiteAckBook book = admitted();
        book.enter(ack("d1", 1, 100), 100);
        book.enter(ack("d2", 2, 100), 100);
        assertThat(book.protectedIndex()).isEqualTo(100);
        assertThat(book.enter(ack("d1", 11, 3), 120)).isFalse();
        assertThat(book.protectedIndex()).isEqualTo(-1);
        assertThat(book.enter(ack("d1", 1, 120), 130)).as("its old storage").isFalse();
        assertThat(book.enter(ack("d1", 11, 120), 150)).isFalse();
        assertThat(book.enter(ack("d1", 11, 121), 150)).isTrue();
        assertThat(book.protectedIndex()).isEqualTo(100);
        assertThat(book.enter(ack("d1", 1, 119), 150)).as("retired").isFalse();
        assertThat(book.protectedIndex()).isEqualTo(100);
    }

    @Test
    void aLostStorageHeardLateDoesNotRetireTheLivingOne() {
        SiteAckBook book = new SiteAckBook(LINEAGE, E1, Set.of("d1"), 1);
        assertThat(book.enter(ack("d1", 2, 10), 10)).as("the living one").isTrue();
        assertThat(book.waitsForEntry(10)).isFalse();
        assertThat(book.enter(ack("d1", 1, 10), 10)).as("the lost one, late").isFalse();
        assertThat(book.protectedIndex()).isEqualTo(-1);
        assertThat(book.waitsForEntry(10)).as("nobody writes").isTrue();
        assertThat(book.waitsForEntry(11)).isFalse();
        assertThat(book.enter(ack("d1", 2, 10), 11)).isFalse();
        assertThat(book.enter(ack("d1", 2, 11), 11)).isTrue();
        assertThat(book.protectedIndex()).isEqualTo(11);
        assertThat(book.enter(ack("d1", 3, 4), 12)).as("lost again").isFalse();
        assertThat(book.enter(ack("d1", 2, 12), 12)).isFalse();
        assertThat(book.enter(ack("d1", 3, 13), 13)).isTrue();
        assertThat(book.enter(ack("d1", 2, 12), 13)).isFalse();
        assertThat(book.protectedIndex()).isEqualTo(13);
    }

    @Test
    void unknownMemberBeginsBehindABarrier() {
        SiteAckBook book = new SiteAckBook(LINEAGE, E1, Set.of("d1"), 1);
        assertThat(book.enter(ack("d1", 1, 4), 5)).isFalse();
        assertThat(book.enter(ack("d1", 1, 5), 9)).isTrue();
        assertThat(book.protectedIndex()).isEqualTo(5);
        assertThat(book.standings())
                .containsExactly(new SiteAckBook.Standing("d1", incarnation(1), 5, true, true));
    }

    @Test
    void quorumsMustMeet() {
        assertThatThrownBy(() -> new SiteAckBook(LINEAGE, E1, Set.of("a", "b", "c"), 1))
                .hasMessageContaining("more than half");
    }

    @Test
    void theOwnSiteNeedsAQuorumToo() {
        SiteAckBook book = new SiteAckBook(LINEAGE, E1, Set.of("d1"), 1, Set.of("l2", "l3"), 1);
        book.enter(ack("d1", 1, 9), -1);
        assertThat(book.protectedIndex()).isEqualTo(-1);
        book.enter(ack("l3", 1, 4), -1);
        assertThat(book.protectedIndex()).isEqualTo(4);
        book.enter(ack("l2", 1, 7), -1);
        assertThat(book.protectedIndex()).isEqualTo(7);
        assertThatThrownBy(() -> new SiteAckBook(LINEAGE, E1, Set.of("d1"), 1, Set.of("l2"), 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("own quorum 2");
    }
}
