package io.holdfast.replication.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.modeswitch.SiteAck;
import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.standard.Epoch;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ProtectionWatchTest {
    private static final UUID LINEAGE = new UUID(1, 1);
    private static final Epoch E1 = Epoch.parse("1.local");

    private static SiteAck ack(String node, int incarnation, long index) {
        return new SiteAck(LINEAGE, E1, index, node, new UUID(0, incarnation), E1);
    }

    @Test
    void watchWakesWhoWaits() {
        SiteAckBook book = new SiteAckBook(LINEAGE, E1, Set.of("d1"), 1);
        book.admit("d1", new UUID(0, 1));
        ProtectionWatch watch = new ProtectionWatch(book);
        CompletableFuture<Long> five = watch.whenProtected(5);
        CompletableFuture<Long> nine = watch.whenProtected(9);
        watch.enter(ack("d1", 1, 6), 9);
        assertThat(five).isCompletedWithValue(6L);
        assertThat(nine).isNotDone();
        assertThat(watch.whenProtected(6)).isCompletedWithValue(6L);
        watch.close();
        assertThat(nine).isCancelled();
        assertThat(watch.whenProtected(10)).isCancelled();
    }
}
