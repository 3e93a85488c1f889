package io.holdfast.replication.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.replication.state.Divergence.Kind;
import io.holdfast.replication.state.DivergentJob.Fate;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Resource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * Two sites go on by themselves after a forced fork, with random edits on both sides. The report must
 * name each change that the returned site acknowledged once, and nothing else. A failure names its
 * seed.
 */
class DivergenceProperties {
    private static final UUID CHILD = Samples.id(3);

    /** One acknowledged change of a resource, as the test itself saw it. */
    private record Acknowledged(UUID id, long index, boolean deletes) {}

    /** A lineage that is written to. */
    private static final class Line {
        final Random random;
        final Epoch epoch;
        ClusterState state;
        long index;
        final List<Tail.LogEntry> log = new ArrayList<>();
        final List<Acknowledged> acknowledged = new ArrayList<>();
        int notes;

        Line(Random random, Epoch epoch, ClusterState state, long index) {
            this.random = random;
            this.epoch = epoch;
            this.state = state;
            this.index = index;
        }

        Reply apply(Command command) {
            return apply(new Entry(uuid(random), epoch, 1_000 + index, command));
        }

        Reply apply(Entry entry) {
            Applied applied = state.apply(entry, ++index);
            state = applied.state();
            log.add(new Tail.LogEntry(1, index, entry.toBytes()));
            if (applied.firstIndex() == index && applied.reply() instanceof Reply.Done) {
                switch (entry.command()) {
                    case Command.PutResource c ->
                            acknowledged.add(new Acknowledged(c.resource().id(), index, false));
                    case Command.DeleteResource c ->
                            acknowledged.add(new Acknowledged(c.id(), index, true));
                    case Command.AuditNote _ -> notes++;
                    default -> {}
                }
            }
            return applied.reply();
        }

        /** A random command; some are refused, some are repetitions. */
        void step(long firstJob) {
            long n = 20 + random.nextInt(10);
            switch (random.nextInt(10)) {
                case 0, 1, 2, 3 ->
                        apply(
                                new Command.PutResource(
                                        Samples.client(n, "c" + random.nextInt(12)),
                                        random.nextInt(3) - 1));
                case 4, 5 -> apply(new Command.DeleteResource(Samples.id(n), -1));
                case 6 -> apply(Samples.opened(firstJob + random.nextInt(6)));
                case 7 -> apply(Samples.completed(firstJob + random.nextInt(6)));
                case 8 -> apply(new Command.AuditNote("bob", "looked", "n" + index));
                default -> {
                    if (!log.isEmpty()) {
                        apply(Entry.parse(log.get(random.nextInt(log.size())).data()));
                    }
                }
            }
        }
    }

    private record Forked(Line theirs, Line ours, long forkIndex, ClusterState at) {
        Map<UUID, Resource> base() {
            Map<UUID, Resource> base = new TreeMap<>();
            at.resources().forEach(r -> base.put(r.resource().id(), r.resource()));
            return base;
        }

        /** The jobs of which the returned site knows more than was taken over. */
        List<UUID> jobs() {
            return theirs.state.jobs().stream()
                    .filter(j -> !at.job(j.id()).equals(Optional.of(j)))
                    .map(JobRecord::id)
                    .toList();
        }
    }

    private static Forked fork(Random random) {
        Line common = new Line(random, Samples.FIRST, ClusterState.empty(), -1);
        common.apply(Command.EpochChange.first(Samples.FIRST, Samples.LINEAGE, "init"));
        for (int i = random.nextInt(40); i > 0; i--) {
            common.step(100);
        }
        ClusterState at = common.state;
        Line ours = new Line(random, Samples.SECOND, ClusterState.empty(), 0);
        UUID seed = Samples.id(5);
        ours.apply(new Command.SeedBegin(seed, at.toBytes().size(), at.hash()));
        ours.apply(new Command.SeedChunk(seed, 0, at.toBytes()));
        Reply planted =
                ours.apply(
                        new Command.SeedEnd(
                                seed,
                                new Command.EpochChange(
                                        Samples.SECOND,
                                        CHILD,
                                        Optional.of(Samples.LINEAGE),
                                        1,
                                        common.index,
                                        at.hash(),
                                        "failover: x",
                                        "alice")));
        assertThat(planted).isInstanceOf(Reply.Done.class);
        Line theirs = new Line(random, Samples.FIRST, at, common.index);
        theirs.log.addAll(common.log);
        for (int i = random.nextInt(40); i > 0; i--) {
            theirs.step(random.nextBoolean() ? 100 : 200);
            if (random.nextBoolean()) {
                ours.step(300);
            }
        }
        return new Forked(theirs, ours, common.index, at);
    }

    private static ReturnReport report(Forked forked, List<Tail.LogEntry> log, ClusterState ours) {
        Line theirs = forked.theirs;
        Divergence.ForkPoint point =
                Divergence.forkOf(Samples.LINEAGE, theirs.state, ours).orElseThrow();
        assertThat(point.index()).isEqualTo(forked.forkIndex);
        assertThat(point.base()).isEqualTo(forked.base());
        return Divergence.report(
                "l1", Samples.LINEAGE, point, theirs.state, log, 1, theirs.index, ours);
    }

    @Test
    void everyAcknowledgedChangeIsInTheReportOnceAndNothingElse() {
        int items = 0;
        for (long seed = 1; seed <= 400; seed++) {
            Forked forked = fork(new Random(seed));
            Line theirs = forked.theirs;
            // The state that goes on has been on a disk, or was sent, meanwhile.
            ClusterState ours = ClusterState.parse(forked.ours.state.toBytes());
            ReturnReport report = report(forked, theirs.log, ours);
            List<Acknowledged> reported = new ArrayList<>();
            for (DivergentResource item : report.resources()) {
                item.changes()
                        .forEach(c ->
                                reported.add(new Acknowledged(item.id(), c.index(), c.deletes())));
                assertThat(item.base())
                        .isEqualTo(Optional.ofNullable(forked.base().get(item.id())));
                assertThat(item.theirs())
                        .isEqualTo(
                                theirs.state.resource(item.id()).map(VersionedResource::resource));
            }
            reported.sort(Comparator.comparingLong(Acknowledged::index));
            assertThat(reported).as("seed %d", seed).isEqualTo(theirs.acknowledged);
            assertThat(report.resources())
                    .as("seed %d", seed)
                    .allMatch(item -> !item.changes().isEmpty())
                    .extracting(DivergentResource::id)
                    .doesNotHaveDuplicates();
            assertThat(report.jobs())
                    .as("seed %d", seed)
                    .filteredOn(j -> forked.jobs().contains(j.job()))
                    .extracting(DivergentJob::job)
                    .containsExactlyElementsOf(forked.jobs());
            assertThat(report.notes()).as("seed %d", seed).hasSize(theirs.notes);
            assertThat(report.needsSignature()).isEqualTo(!theirs.acknowledged.isEmpty());
            assertThat(ReturnReport.parse(report.toBytes())).isEqualTo(report);
            items += report.resources().size();
        }
        assertThat(items).isGreaterThan(1_000);
    }

    /** What a purged log cannot say, the states do. */
    @Test
    void aPurgedLogHidesNoResourceThatEndedDifferently() {
        for (long seed = 1; seed <= 200; seed++) {
            Random random = new Random(seed);
            Forked forked = fork(random);
            List<Tail.LogEntry> log = forked.theirs.log;
            int keep = random.nextInt(log.size() + 1);
            List<Tail.LogEntry> left = log.subList(log.size() - keep, log.size());
            Set<UUID> different = new HashSet<>(forked.base().keySet());
            forked.theirs.state.resources().forEach(r -> different.add(r.resource().id()));
            different.removeIf(id ->
                    Optional.ofNullable(forked.base().get(id))
                            .equals(
                                    forked.theirs
                                            .state
                                            .resource(id)
                                            .map(VersionedResource::resource)));
            assertThat(report(forked, left, forked.ours.state).resources())
                    .as("seed %d, %d of %d entries", seed, keep, log.size())
                    .extracting(DivergentResource::id)
                    .containsAll(different);
        }
    }

    /** Doing what the report offers brings theirs here, and only theirs. */
    @Test
    void whatIsAppliedBecomesIdentical() {
        Set<Kind> met = new HashSet<>();
        for (long seed = 1; seed <= 200; seed++) {
            Forked forked = fork(new Random(seed));
            ReturnReport report = report(forked, forked.theirs.log, forked.ours.state);
            for (DivergentResource item : report.resources()) {
                Line ours = forked.ours;
                Kind kind = Divergence.classify(item, ours.state);
                met.add(kind);
                if (kind == Kind.ADDITIVE) {
                    Reply reply =
                            ours.apply(
                                    new Command.PutResource(
                                            item.theirs().orElseThrow(), Command.NEW));
                    assertThat(reply).as("seed %d", seed).isInstanceOf(Reply.Done.class);
                    assertThat(Divergence.classify(item, ours.state)).isEqualTo(Kind.IDENTICAL);
                }
            }
        }
        assertThat(met).containsExactlyInAnyOrder(Kind.values());
    }

    @Test
    void aJobWithTwoPiecesIsCorrupt() {
        Line theirs = forkedLine();
        Line ours = new Line(new Random(1), Samples.FIRST, theirs.state, 10);
        theirs.apply(Samples.completed(40));
        Command.JobEnded end = Samples.completed(40);
        ours.apply(
                new Command.JobEnded(
                        end.job(),
                        end.state(),
                        end.row(),
                        Optional.of(Samples.chunk(99)),
                        end.totals(),
                        end.message(),
                        end.stored()));
        ReturnReport report =
                Divergence.report(
                        "l1",
                        Samples.LINEAGE,
                        new Divergence.ForkPoint(1, 5, Map.of()),
                        theirs.state,
                        theirs.log,
                        1,
                        theirs.index,
                        ours.state);
        assertThat(report.jobs())
                .singleElement()
                .satisfies(j -> {
                    assertThat(j.fate()).isEqualTo(Fate.CORRUPTION);
                    assertThat(j.theirs()).contains(Samples.chunk(40));
                    assertThat(j.ours()).contains(Samples.chunk(99));
                });
        assertThat(report.needsSignature()).isTrue();
    }

    @Test
    void fatesOfJobs() {
        Line theirs = forkedLine();
        ClusterState ours = theirs.state;
        theirs.apply(Samples.completed(40));
        theirs.apply(Samples.opened(41));
        theirs.apply(Samples.opened(42));
        theirs.apply(
                new Command.JobEnded(
                        Samples.id(42),
                        JobState.FAILED,
                        Optional.empty(),
                        Optional.empty(),
                        JobTotals.NONE,
                        "disk full",
                        Optional.empty()));
        ReturnReport report =
                Divergence.report(
                        "l1",
                        Samples.LINEAGE,
                        new Divergence.ForkPoint(1, 5, Map.of()),
                        theirs.state,
                        theirs.log,
                        1,
                        theirs.index,
                        ours);
        assertThat(report.jobs())
                .extracting(DivergentJob::fate)
                .containsExactly(Fate.RECOVERED, Fate.ABORTED, Fate.HISTORY);
        assertThat(report.needsSignature()).isFalse();
    }

    /** In epoch 1, with job 40 open, at index 5. */
    private static Line forkedLine() {
        Line line = new Line(new Random(7), Samples.FIRST, ClusterState.empty(), 3);
        line.apply(Command.EpochChange.first(Samples.FIRST, Samples.LINEAGE, "init"));
        line.apply(Samples.opened(40));
        return line;
    }

    private static UUID uuid(Random random) {
        return new UUID(random.nextLong(), random.nextLong());
    }
}
