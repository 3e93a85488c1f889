package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.AgentFixture.Run;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.ListEntry;
import io.holdfast.agent.proto.v1.ListOrder;
import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.chunk.memory.MemoryChunkStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backup and restore through the real wire: agent, TLS, storage. */
class MediaAgentRoundTripTest {
    @TempDir Path dir;
    AgentFixture fixture;

    @BeforeEach
    void start() throws Exception {
        fixture = new AgentFixture(dir.resolve("cluster"), new MemoryChunkStore(UUID.randomUUID()));
    }

    @AfterEach
    void stop() throws Exception {
        fixture.close();
    }

    @Test
    void aNastyTreeComesBackAsItWas() throws Exception {
        Path source = dir.resolve("source");
        TestTree.nasty(source);
        JobOrder order = fixture.backupOrder(source, "full").build();
        Run backup = fixture.run(order);
        assertThat(backup.outcome.getMessage()).isEmpty();
        assertThat(backup.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);

        Path target = dir.resolve("target");
        Run restore = fixture.run(fixture.restoreOrder(order, backup.outcome, target).build());
        assertThat(restore.logOf(LogLine.Level.ERROR)).isEmpty();
        assertThat(restore.logOf(LogLine.Level.WARNING)).isEmpty();
        assertThat(restore.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
        assertThat(TreeDigest.of(target)).isEqualTo(TreeDigest.of(source));
        // Zeros came back as holes.
        assertThat(blocks(target.resolve("zeros"))).isLessThan(1 << 20);
    }

    private static long blocks(Path file) throws Exception {
        Process du = new ProcessBuilder("du", "--block-size=1", file.toString()).start();
        String out = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return Long.parseLong(out.substring(0, out.indexOf('\t')));
    }

    @Test
    void anIncrementalReadsOnlyWhatChangedAndThePieceIsWhole() throws Exception {
        Path source = dir.resolve("source");
        TestTree.nasty(source);
        Run full = fixture.backup(source, "full");
        assertThat(full.outcome.getFilesUnchanged()).isZero();
        assertThat(full.outcome.getTotals().getBytesNew()).isPositive();

        Run same = fixture.backup(source, "incremental");
        assertThat(same.outcome.getTotals().getBytesRead()).isZero();
        assertThat(same.outcome.getTotals().getBytesNew()).isZero();
        assertThat(same.outcome.getRoot()).isEqualTo(full.outcome.getRoot());
        assertThat(same.outcome.getSourceBytes()).isEqualTo(full.outcome.getSourceBytes());
        assertThat(same.outcome.getFilesTotal()).isEqualTo(full.outcome.getFilesTotal());

        Files.writeString(source.resolve("many/f7"), "edited");
        Files.writeString(source.resolve("many/added"), "added");
        Files.delete(source.resolve("many/f8"));
        Files.move(source.resolve("many/f9"), source.resolve("renamed"));
        Files.createLink(source.resolve("many/new-link"), source.resolve("many/f10"));
        JobOrder order = fixture.backupOrder(source, "incremental").build();
        Run changed = fixture.run(order);
        assertThat(changed.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
        assertThat(changed.outcome.getTotals().getBytesRead()).isLessThan(2_000);

        Path target = dir.resolve("target");
        Run restore = fixture.run(fixture.restoreOrder(order, changed.outcome, target).build());
        assertThat(restore.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
        assertThat(TreeDigest.of(target)).isEqualTo(TreeDigest.of(source));
    }

    @Test
    void aFullBackupReadsEverythingAndStoresNothingTwice() throws Exception {
        Path source = dir.resolve("source");
        TestTree.nasty(source);
        Files.write(source.resolve("copy-of-five"), TestTree.random(1, 5 << 20));
        Run first = fixture.backup(source, "full");
        // "five" and its copy, the zeros and the zeros at the end, share their chunks.
        assertThat(
                        first.outcome.getTotals().getBytesRead()
                                - first.outcome.getTotals().getBytesNew())
                .isGreaterThan(4 << 20);
        Run again = fixture.backup(source, "full");
        assertThat(again.outcome.getTotals().getBytesRead())
                .isEqualTo(first.outcome.getTotals().getBytesRead());
        assertThat(again.outcome.getTotals().getBytesNew()).isZero();
        assertThat(again.outcome.getFilesUnchanged()).isZero();
    }

    @Test
    void aListNamesEverything() throws Exception {
        Path source = dir.resolve("source");
        TestTree.nasty(source);
        Run backup = fixture.backup(source, "full");
        List<String> paths = new ArrayList<>();
        list(backup, "", true).forEach(e -> paths.add(e.getPath().toStringUtf8()));
        assertThat(paths).hasSize(TreeDigest.of(source).size() - 1);
        assertThat(paths).contains("many/f7", "links/odd", "ümlaut");
        assertThat(list(backup, "many", false)).hasSize(300);
        assertThat(list(backup, "links/good", false))
                .singleElement()
                .satisfies(e -> {
                    assertThat(e.getType()).isEqualTo("symlink");
                    assertThat(e.getLinkTarget().toStringUtf8()).isEqualTo("../plain.txt");
                });
        assertThat(list(backup, "links/", false).stream().map(ListEntry::getType))
                .contains("file", "symlink");
    }

    private List<ListEntry> list(Run backup, String path, boolean recursive) {
        List<ListEntry> entries = new ArrayList<>();
        fixture.agent()
                .list(
                        ListOrder.newBuilder()
                                .setContext(fixture.context())
                                .setInput(fixture.storageId("READ"))
                                .setKey(fixture.slot())
                                .setPieceHeader(backup.outcome.getPieceHeader())
                                .setPath(path)
                                .setRecursive(recursive)
                                .build())
                .forEachRemaining(entries::add);
        return entries;
    }

    @Test
    void includedPathsAloneAreRestoredAndAnotherRunOverwrites() throws Exception {
        Path source = dir.resolve("source");
        TestTree.nasty(source);
        JobOrder order = fixture.backupOrder(source, "full").build();
        Run backup = fixture.run(order);
        Path target = dir.resolve("target");
        JobOrder.Builder some = fixture.restoreOrder(order, backup.outcome, target);
        some.getRestoreBuilder().addInclude("many/f7").addInclude("/links/");
        assertThat(fixture.run(some.build()).outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
        assertThat(target.resolve("many")).isDirectoryContaining("glob:**f7");
        assertThat(target.resolve("plain.txt")).doesNotExist();
        assertThat(target.resolve("links/hard1")).hasSize(5 << 20);

        JobOrder.Builder refused = fixture.restoreOrder(order, backup.outcome, target);
        Run no = fixture.run(refused.build());
        assertThat(no.outcome.getState()).isEqualTo(Outcome.State.FAILED);
        assertThat(no.outcome.getMessage()).contains("not empty");

        Files.writeString(target.resolve("many/f7"), "to be replaced");
        JobOrder.Builder over = fixture.restoreOrder(order, backup.outcome, target);
        over.getRestoreBuilder().setOverwrite(true);
        Run yes = fixture.run(over.build());
        assertThat(yes.logOf(LogLine.Level.ERROR)).isEmpty();
        assertThat(TreeDigest.of(target)).isEqualTo(TreeDigest.of(source));

        JobOrder.Builder none = fixture.restoreOrder(order, backup.outcome, dir.resolve("none"));
        none.getRestoreBuilder().addInclude("no/such");
        Run unfound = fixture.run(none.build());
        assertThat(unfound.outcome.getState()).isEqualTo(Outcome.State.FAILED);
        assertThat(unfound.logOf(LogLine.Level.ERROR))
                .singleElement()
                .asString()
                .contains("no/such", "not in the piece");
    }

    @Test
    void aSingleFileIsAPieceToo() throws Exception {
        Path source = dir.resolve("alone.txt");
        Files.writeString(source, "alone");
        JobOrder order = fixture.backupOrder(source, "full").build();
        Run backup = fixture.run(order);
        assertThat(backup.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
        Path target = dir.resolve("target");
        fixture.run(fixture.restoreOrder(order, backup.outcome, target).build());
        assertThat(target.resolve("alone.txt")).hasContent("alone");
        Run same = fixture.backup(source, "incremental");
        assertThat(same.outcome.getRoot()).isEqualTo(backup.outcome.getRoot());
    }

    @Test
    void exclusionsAndSocketsAreLeftOut() throws Exception {
        Path source = Files.createDirectories(dir.resolve("source/build/deep"));
        Path root = dir.resolve("source");
        Files.writeString(source.resolve("a.o"), "x");
        Files.writeString(source.resolve("keep"), "x");
        Files.writeString(root.resolve("b.tmp"), "x");
        Files.createDirectories(root.resolve("cache/x"));
        try (var socket =
                java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            socket.bind(java.net.UnixDomainSocketAddress.of(root.resolve("sock")));
            JobOrder.Builder order = fixture.backupOrder(root, "full");
            order.getBackupBuilder()
                    .addExclude("*.tmp")
                    .addExclude("/cache")
                    .addExclude("deep/*.o");
            Run backup = fixture.run(order.build());
            assertThat(backup.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
            assertThat(backup.logOf(LogLine.Level.INFO)).anyMatch(l -> l.contains("sock"));
            assertThat(list(backup, "", true).stream().map(e -> e.getPath().toStringUtf8()))
                    .containsExactly("build", "build/deep", "build/deep/keep");
        }
    }
}
