package io.holdfast.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class GroupSyncTest {
    @Test
    void thoseWhoComeDuringAnFsyncShareTheNextOne() throws Exception {
        AtomicInteger syncs = new AtomicInteger();
        CountDownLatch firstRuns = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        GroupSync group =
                new GroupSync(() -> {
                    if (syncs.incrementAndGet() == 1) {
                        firstRuns.countDown();
                        release.await();
                    }
                });
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> waiting = new ArrayList<>();
            waiting.add(pool.submit(group::await));
            assertThat(firstRuns.await(20, TimeUnit.SECONDS)).isTrue();
            for (int i = 0; i < 8; i++) {
                waiting.add(pool.submit(group::await));
            }
            while (group.asked() < 9) {
                Thread.onSpinWait();
            }
            release.countDown();
            for (Future<?> done : waiting) {
                done.get(20, TimeUnit.SECONDS);
            }
        }
        assertThat(syncs).hasValue(2);
    }

    @Test
    void failureStandsBecauseTheNextFsyncWouldLie() {
        AtomicInteger syncs = new AtomicInteger();
        GroupSync group =
                new GroupSync(() -> {
                    if (syncs.incrementAndGet() == 1) {
                        throw new IOException("no space");
                    }
                });
        assertThatThrownBy(group::await)
                .isInstanceOf(GroupSync.SyncFailed.class)
                .hasMessageContaining("no space");
        assertThatThrownBy(group::await).isInstanceOf(GroupSync.SyncFailed.class);
        assertThat(syncs).hasValue(1);
    }
}
