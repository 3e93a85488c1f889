package io.holdfast.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Whatever a sender repeats, cuts, delays or loses: the receiver has applied a prefix of the origin's
 * sequence, each entry once. Replay a failure with {@code -Dholdfast.seed=N}.
 */
final class OutboxApplyProperties {
    private static final int RUNS = 2_000;

    @Test
    void receiverHoldsAPrefixAppliedOnce() {
        Long fixed = Long.getLong("holdfast.seed");
        long first = fixed == null ? System.nanoTime() : fixed;
        for (int run = 0; run < (fixed == null ? RUNS : 1); run++) {
            simulate(first + run);
        }
    }

    private static void simulate(long seed) {
        Random random = new Random(seed);
        List<OutboxEntry> origin = Rows.entries(1, 1 + random.nextInt(30));
        List<OutboxEntry> received = new ArrayList<>();
        long applied = 0;
        for (int call = 0; call < 40; call++) {
            List<OutboxEntry> batch = batch(random, origin);
            OutboxApply.Plan plan = OutboxApply.plan(applied, batch);
            assertThat(OutboxApply.plan(applied, batch)).as("seed %d", seed).isEqualTo(plan);
            if (plan instanceof OutboxApply.Apply(List<OutboxEntry> entries, long cursor)) {
                assertThat(cursor).as("seed %d", seed).isGreaterThanOrEqualTo(applied);
                received.addAll(entries);
                applied = cursor;
            } else {
                // Refused: only what is no consecutive piece of the sequence, or starts too late.
                assertThat(consecutive(batch) && batch.getFirst().seq() <= applied + 1)
                        .as("seed %d: %s refused at %d", seed, batch, applied)
                        .isFalse();
            }
            assertThat(received).as("seed %d", seed).isEqualTo(origin.subList(0, (int) applied));
        }
        // After the faults end, one honest sender brings the rest.
        if (OutboxApply.plan(applied, origin)
                instanceof OutboxApply.Apply(List<OutboxEntry> entries, long cursor)) {
            received.addAll(entries);
            assertThat(cursor).isEqualTo(origin.size());
        }
        assertThat(received).as("seed %d", seed).isEqualTo(origin);
    }

    private static boolean consecutive(List<OutboxEntry> batch) {
        for (int i = 1; i < batch.size(); i++) {
            if (batch.get(i).seq() != batch.get(i - 1).seq() + 1) {
                return false;
            }
        }
        return true;
    }

    private static List<OutboxEntry> batch(Random random, List<OutboxEntry> origin) {
        int from = random.nextInt(origin.size());
        int to = from + random.nextInt(origin.size() - from + 1);
        List<OutboxEntry> batch = new ArrayList<>(origin.subList(from, to));
        switch (random.nextInt(6)) {
            case 0 -> {
                if (!batch.isEmpty()) {
                    batch.remove(random.nextInt(batch.size()));
                }
            }
            case 1 -> {
                if (!batch.isEmpty()) {
                    batch.add(batch.get(random.nextInt(batch.size())));
                }
            }
            case 2 -> java.util.Collections.shuffle(batch, random);
            default -> {}
        }
        return batch;
    }

    @Test
    void fallingEpochsAreRefused() {
        List<OutboxEntry> entries = Rows.entries(1, 2);
        List<OutboxEntry> falling =
                List.of(
                        new OutboxEntry(1, Rows.SECOND, entries.get(0).change()),
                        new OutboxEntry(2, Rows.FIRST, entries.get(1).change()));
        assertThat(OutboxApply.plan(0, falling)).isInstanceOf(OutboxApply.Refuse.class);
    }
}
