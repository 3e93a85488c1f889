package io.holdfast.replication.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Random histories; a failure names its seed. */
class ClusterStateProperties {
    @Test
    void snapshotAtAnyPointAndReplayGiveTheSameState() {
        for (long seed = 1; seed <= 40; seed++) {
            Random random = new Random(seed);
            List<Entry> log = history(random, 120);
            ClusterState straight = ClusterState.empty();
            ClusterState reloaded = ClusterState.empty();
            for (int i = 0; i < log.size(); i++) {
                Entry entry = Entry.parse(log.get(i).toBytes());
                assertThat(entry).as("seed %d entry %d", seed, i).isEqualTo(log.get(i));
                Applied a = straight.apply(entry, i);
                Applied b = reloaded.apply(entry, i);
                assertThat(b.reply()).as("seed %d entry %d", seed, i).isEqualTo(a.reply());
                assertThat(b.firstIndex()).isEqualTo(a.firstIndex());
                straight = a.state();
                reloaded =
                        random.nextInt(5) == 0
                                ? ClusterState.parse(b.state().toBytes())
                                : b.state();
            }
            assertThat(reloaded.toBytes()).as("seed %d", seed).isEqualTo(straight.toBytes());
        }
    }

    @Test
    void repeatingEntriesChangesNothing() {
        for (long seed = 1; seed <= 40; seed++) {
            Random random = new Random(seed);
            List<Entry> log = history(random, 100);
            ClusterState once = ClusterState.empty();
            ClusterState often = ClusterState.empty();
            long index = 0;
            for (int i = 0; i < log.size(); i++) {
                once = once.apply(log.get(i), i).state();
                often = often.apply(log.get(i), index++).state();
                while (random.nextInt(3) == 0) {
                    often = often.apply(log.get(random.nextInt(i + 1)), index++).state();
                }
            }
            assertThat(often.jobs()).as("seed %d", seed).isEqualTo(once.jobs());
            assertThat(often.resources()).as("seed %d", seed).isEqualTo(once.resources());
            assertThat(often.epochs()).as("seed %d", seed).isEqualTo(once.epochs());
        }
    }

    @Test
    void epochsOnlyRise() {
        for (long seed = 1; seed <= 40; seed++) {
            Random random = new Random(seed);
            ClusterState state = ClusterState.empty();
            long index = 0;
            for (Entry entry : history(random, 150)) {
                ClusterState next = state.apply(entry, index++).state();
                assertThat(next.epoch().compareTo(state.epoch()))
                        .as("seed %d", seed)
                        .isGreaterThanOrEqualTo(0);
                state = next;
            }
            List<Epoch> epochs = state.epochs().stream().map(e -> e.change().epoch()).toList();
            assertThat(epochs).as("seed %d", seed).isSorted().doesNotHaveDuplicates();
        }
    }

    @Test
    void nothingThatIsHeldEverExpires() {
        int expired = 0;
        int held = 0;
        for (long seed = 1; seed <= 60; seed++) {
            ClusterState state = ClusterState.empty();
            long index = 0;
            for (Entry entry : history(new Random(seed), 250)) {
                ClusterState next = state.apply(entry, index++).state();
                for (Expiry expiry : next.expiries()) {
                    if (!state.expiry(expiry.piece()).equals(Optional.of(expiry))) {
                        expired++;
                        expiry.onlyAt()
                                .ifPresent(_ ->
                                        assertThat(expiry.job().flatMap(next::job))
                                                .as("kept by the other site alone")
                                                .matches(
                                                        j -> j.isEmpty() || j.get().isProtected()));
                        assertThat(state.holdOn(expiry.piece(), expiry.client()))
                                .as("seed %d entry %d", seed, index)
                                .isEmpty();
                    }
                }
                held += next.holds().size();
                state = next;
            }
        }
        assertThat(expired).isGreaterThan(60);
        assertThat(held).isGreaterThan(60);
    }

    private static List<Entry> history(Random random, int length) {
        List<Entry> log = new ArrayList<>();
        Epoch epoch = Samples.FIRST;
        log.add(
                new Entry(
                        uuid(random),
                        epoch,
                        1,
                        Command.EpochChange.first(epoch, Samples.LINEAGE, "init")));
        for (int i = 1; i < length; i++) {
            long n = 20 + random.nextInt(8);
            Command command =
                    switch (random.nextInt(16)) {
                        case 0 -> new Command.PutMbr(Samples.mbr());
                        case 1, 2 ->
                                new Command.PutResource(
                                        Samples.client(n, "c" + random.nextInt(4)),
                                        random.nextInt(4) - 1);
                        case 3 -> new Command.DeleteResource(Samples.id(n), -1);
                        case 4, 5 ->
                                random.nextInt(4) == 0
                                        ? Samples.continuing(n, 20 + random.nextInt(8))
                                        : Samples.opened(n);
                        case 6, 7 ->
                                random.nextInt(4) == 0
                                        ? Samples.checkpointed(n)
                                        : Samples.completed(n);
                        case 8 -> new Command.ProtectedMark(Samples.id(n));
                        case 9 -> new Command.PieceRecovered(Samples.recovered(n), Samples.LINEAGE);
                        case 11 ->
                                switch (random.nextInt(3)) {
                                    case 0 -> Samples.expireAt(n, Site.LOCAL);
                                    case 1 -> Samples.expireAt(n, Site.DR);
                                    default -> Samples.expire(n);
                                };
                        case 12 ->
                                random.nextBoolean()
                                        ? Samples.hold(70 + random.nextInt(4), n + 1000)
                                        : new Command.HoldRelease(
                                                Samples.id(70 + random.nextInt(4)), "o", "r");
                        case 13 ->
                                random.nextBoolean()
                                        ? Samples.gcBegin(80 + random.nextInt(4))
                                        : new Command.GcEnd(
                                                Samples.id(80 + random.nextInt(4)),
                                                "DONE",
                                                List.of("r"),
                                                1,
                                                2);
                        case 14 ->
                                switch (random.nextInt(3)) {
                                    case 0 ->
                                            new Command.ExpirySettled(
                                                    List.of(Samples.id(n + 1000)));
                                    case 1 -> new Command.AbandonSite(Site.DR, "o", "r");
                                    default ->
                                            new Command.ReplStateChange(
                                                    new ReplState(
                                                            random.nextBoolean()
                                                                    ? ReplState.Mode.SYNC
                                                                    : ReplState.Mode.ASYNC,
                                                            i,
                                                            i));
                                };
                        case 10 ->
                                random.nextBoolean()
                                        ? new Command.SwitchPrepare(Site.DR, "r", "o")
                                        : new Command.SwitchAbort("r");
                        default -> {
                            if (random.nextInt(4) == 0) {
                                epoch =
                                        epoch.successor(
                                                random.nextBoolean() ? Site.DR : Site.LOCAL);
                                yield new Command.EpochChange(
                                        epoch,
                                        // The same lineage takes it; another only when drained.
                                        random.nextInt(4) == 0
                                                ? Samples.id(epoch.n())
                                                : Samples.LINEAGE,
                                        Optional.empty(),
                                        0,
                                        0,
                                        com.google.protobuf.ByteString.EMPTY,
                                        "r",
                                        "o");
                            }
                            yield new Command.AuditNote("a", "b", "c");
                        }
                    };
            Epoch proposer = random.nextInt(10) == 0 ? Samples.FIRST : epoch;
            log.add(new Entry(uuid(random), proposer, 10L * i, command));
        }
        return log;
    }

    private static UUID uuid(Random random) {
        return new UUID(random.nextLong(), random.nextLong());
    }
}
