package io.holdfast.agent.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.agent.TestTree;
import io.holdfast.agent.TreeDigest;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The days on which files do not hold still, and the storage forgets. */
class BackupJobTest {
    private static final String LEFT_OUT = "cannot be read, left out: permission denied";

    @TempDir Path dir;
    Path source;
    Jobs jobs;

    @BeforeEach
    void tree() throws Exception {
        source = Files.createDirectories(dir.resolve("source/below"));
        source = dir.resolve("source");
        Files.writeString(source.resolve("a"), "a");
        Files.writeString(source.resolve("b"), "b");
        Files.writeString(source.resolve("below/c"), "c");
        Files.write(source.resolve("large"), TestTree.random(9, 3 << 20));
        jobs = new Jobs(Files.createDirectories(dir.resolve("cache")));
    }

    @Test
    void aFileThatVanishesIsAWarningAndTheOthersAreKept() throws Exception {
        BackupJob.Result result =
                jobs.backup(
                        source,
                        false,
                        path -> {
                            if (path.endsWith("b")) {
                                Files.delete(path);
                            }
                        });
        assertThat(result.warnings()).isEqualTo(1);
        assertThat(jobs.log).singleElement().asString().contains("WARNING b: vanished");
        assertThat(result.files()).isEqualTo(3);
        jobs.restore(result.pieceHeader(), dir.resolve("target"), false);
        var expected = TreeDigest.of(source);
        expected.remove(""); // its time changed when the file vanished, after it was looked at
        assertThat(TreeDigest.of(dir.resolve("target")))
                .containsAllEntriesOf(expected)
                .hasSize(expected.size() + 1);
        assertThat(dir.resolve("target/b")).doesNotExist();
    }

    @Test
    void aFileThatBecameAFolderIsAWarning() throws Exception {
        BackupJob.Result result =
                jobs.backup(
                        source,
                        false,
                        path -> {
                            if (path.endsWith("b")) {
                                Files.delete(path);
                                Files.createDirectory(path);
                            }
                        });
        assertThat(result.warnings()).isEqualTo(1);
        assertThat(jobs.log).singleElement().asString().contains("WARNING b: ");
    }

    @Test
    void aFileThatBecameASymlinkIsNotFollowed() throws Exception {
        Path secret = dir.resolve("secret");
        Files.writeString(secret, "secret");
        BackupJob.Result result =
                jobs.backup(
                        source,
                        false,
                        path -> {
                            if (path.endsWith("b")) {
                                Files.delete(path);
                                Files.createSymbolicLink(path, secret);
                            }
                        });
        assertThat(result.warnings()).isEqualTo(1);
        jobs.restore(result.pieceHeader(), dir.resolve("target"), false);
        assertThat(dir.resolve("target/b")).doesNotExist();
    }

    @Test
    void aFileThatMayNotBeReadIsAWarningAndTheOthersAreKept() throws Exception {
        BackupJob.Result result =
                jobs.backup(
                        source,
                        false,
                        path -> {
                            if (path.endsWith("b")) {
                                throw new AccessDeniedException(path.toString());
                            }
                        });
        assertThat(result.warnings()).isEqualTo(1);
        assertThat(jobs.log).containsExactly("WARNING b: " + LEFT_OUT);
        jobs.restore(result.pieceHeader(), dir.resolve("target"), false);
        var expected = TreeDigest.of(source);
        expected.remove("/b");
        assertThat(TreeDigest.of(dir.resolve("target"))).isEqualTo(expected);
    }

    @Test
    void whatFileModesForbidIsListedAndTheRestIsKept() throws Exception {
        forbid(source.resolve("b"));
        forbid(source.resolve("below"));
        BackupJob.Result result = unprivileged(source);
        assertThat(jobs.log)
                .containsExactlyInAnyOrder(
                        "WARNING b: " + LEFT_OUT,
                        "WARNING below: cannot be read, kept as empty folder: permission denied");
        assertThat(result.warnings()).isEqualTo(2);
        assertThat(result.files()).isEqualTo(2);
        jobs.restore(result.pieceHeader(), dir.resolve("target"), false);
        try (Stream<Path> restored = Files.list(dir.resolve("target"))) {
            assertThat(restored.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder("a", "below", "large");
        }
    }

    @Test
    void aFileThatMayNotBeReadOnceIsReadTheNextTime() throws Exception {
        forbid(source.resolve("b"));
        assertThat(unprivileged(source).warnings()).isEqualTo(1);
        Files.setPosixFilePermissions(
                source.resolve("b"), PosixFilePermissions.fromString("r--------"));
        BackupJob.Result next =
                Unprivileged.call(() -> jobs.backup(source, true, BackupJob.Hook.NONE));
        assertThat(jobs.log).isEmpty();
        assertThat(next.files() - next.unchanged()).isEqualTo(1);
        jobs.restore(next.pieceHeader(), dir.resolve("target"), false);
        assertThat(TreeDigest.of(dir.resolve("target"))).isEqualTo(TreeDigest.of(source));
    }

    @Test
    void aSourceThatMayNotBeReadFailsInWords() throws Exception {
        forbid(source.resolve("a"));
        assertThatThrownBy(() -> unprivileged(source.resolve("a")))
                .isInstanceOf(BackupJob.Failed.class)
                .hasMessage(
                        "Source "
                                + source.resolve("a")
                                + " could not be read; nothing was backed up");
        assertThat(jobs.log).containsExactly("WARNING : " + LEFT_OUT);
        forbid(source);
        assertThatThrownBy(() -> unprivileged(source))
                .isInstanceOf(BackupJob.Failed.class)
                .hasMessage(
                        "Source "
                                + source
                                + " cannot be read (permission denied); nothing was backed up");
        assertThatThrownBy(() -> unprivileged(source.resolve("below")))
                .isInstanceOf(BackupJob.Failed.class)
                .hasMessage(
                        "Source "
                                + source.resolve("below")
                                + " may not be read by this agent; nothing was backed up. Run the"
                                + " agent as a user who may");
        assertThat(jobs.storage.commits).isZero();
    }

    private BackupJob.Result unprivileged(Path what) throws Exception {
        return Unprivileged.call(() -> jobs.backup(what, false, BackupJob.Hook.NONE));
    }

    private static void forbid(Path path) throws Exception {
        Files.setPosixFilePermissions(path, Set.of());
    }

    @Test
    void aFileThatChangesOnceIsReadAgain() throws Exception {
        AtomicInteger times = new AtomicInteger();
        BackupJob.Result result =
                jobs.backup(
                        source,
                        false,
                        new BackupJob.Hook() {
                            @Override
                            public void beforeRead(Path path) {}

                            @Override
                            public void afterRead(Path path) throws java.io.IOException {
                                if (path.endsWith("b") && times.incrementAndGet() == 1) {
                                    Files.writeString(path, "longer than before");
                                }
                            }
                        });
        assertThat(times).hasValue(2);
        assertThat(result.warnings()).isZero();
        jobs.restore(result.pieceHeader(), dir.resolve("target"), false);
        assertThat(TreeDigest.of(dir.resolve("target"))).isEqualTo(TreeDigest.of(source));
    }

    @Test
    void aFileThatKeepsChangingIsAWarningAndNotTrustedNextTime() throws Exception {
        AtomicInteger times = new AtomicInteger();
        BackupJob.Hook writer =
                new BackupJob.Hook() {
                    @Override
                    public void beforeRead(Path path) {}

                    @Override
                    public void afterRead(Path path) throws java.io.IOException {
                        if (path.endsWith("b")) {
                            Files.writeString(path, "x".repeat(times.incrementAndGet() * 10));
                        }
                    }
                };
        assertThat(jobs.backup(source, false, writer).warnings()).isEqualTo(1);
        assertThat(jobs.log).singleElement().asString().contains("changed while it was read");
        BackupJob.Result next = jobs.backup(source, true, BackupJob.Hook.NONE);
        assertThat(next.files() - next.unchanged()).isEqualTo(1);
    }

    @Test
    void aChangeWithinTheGranularityOfTimeStampsIsNotOverlooked() throws Exception {
        jobs.clock = InstantSource.system(); // the files are younger than two seconds
        jobs.backup(source, false, BackupJob.Hook.NONE);
        BackupJob.Result next = jobs.backup(source, true, BackupJob.Hook.NONE);
        assertThat(next.unchanged()).isZero();
    }

    @Test
    void aFileReplacedByOneOfTheSameSizeAndTimeIsRead() throws Exception {
        jobs.backup(source, false, BackupJob.Hook.NONE);
        var time = Files.getLastModifiedTime(source.resolve("a"));
        Files.writeString(source.resolve("a.new"), "A");
        Files.setLastModifiedTime(source.resolve("a.new"), time);
        TestTree.sh(source, "mv a.new a");
        BackupJob.Result next = jobs.backup(source, true, BackupJob.Hook.NONE);
        assertThat(next.files() - next.unchanged()).isEqualTo(1);
        jobs.restore(next.pieceHeader(), dir.resolve("target"), false);
        assertThat(dir.resolve("target/a")).hasContent("A");
    }

    @Test
    void anotherEpochOrStoreIsReadAnew() throws Exception {
        jobs.backup(source, false, BackupJob.Hook.NONE);
        assertThat(jobs.backup(source, true, BackupJob.Hook.NONE).unchanged()).isEqualTo(4);
        jobs.epoch = 0x202;
        assertThat(jobs.backup(source, true, BackupJob.Hook.NONE).unchanged()).isZero();
    }

    @Test
    void whatTheStorageLostIsReadAndSentAgain() throws Exception {
        jobs.backup(source, false, BackupJob.Hook.NONE);
        jobs.storage.loseEverything();
        Files.writeString(source.resolve("new"), "new");
        BackupJob.Result result = jobs.backup(source, true, BackupJob.Hook.NONE);
        assertThat(jobs.storage.commits).isEqualTo(1 + 2);
        jobs.restore(result.pieceHeader(), dir.resolve("target"), false);
        assertThat(TreeDigest.of(dir.resolve("target"))).isEqualTo(TreeDigest.of(source));
        assertThat(jobs.backup(source, true, BackupJob.Hook.NONE).unchanged()).isEqualTo(5);
    }

    @Test
    void anUncommittedBackupLeavesTheCacheAsItWas() throws Exception {
        jobs.backup(source, false, BackupJob.Hook.NONE);
        Files.writeString(source.resolve("b"), "changed");
        assertThatThrownBy(() ->
                        jobs.backup(
                                source,
                                true,
                                new BackupJob.Hook() {
                                    @Override
                                    public void beforeRead(Path path) {}

                                    @Override
                                    public void beforeCommit() throws java.io.IOException {
                                        throw new java.io.IOException("power cut");
                                    }
                                }))
                .hasMessage("power cut");
        BackupJob.Result next = jobs.backup(source, true, BackupJob.Hook.NONE);
        assertThat(next.unchanged()).isEqualTo(3);
    }

    @Test
    void manySmallFilesCostFewRoundTrips() throws Exception {
        for (int i = 0; i < 2_000; i++) {
            Files.writeString(source.resolve("small" + i), "content " + i);
        }
        jobs.backup(source, false, BackupJob.Hook.NONE);
        assertThat(jobs.storage.puts).isGreaterThan(2_000);
        assertThat(jobs.storage.questions).isLessThan(40);
    }

    @Test
    void aMissingSourceFailsInWords() {
        assertThatThrownBy(() -> jobs.backup(dir.resolve("no"), false, BackupJob.Hook.NONE))
                .isInstanceOf(BackupJob.Failed.class)
                .hasMessageContaining("does not exist on this system")
                .hasMessageContaining("/no");
    }

    @Test
    void aSymlinkAsSourceStandsForItsTarget() throws Exception {
        Files.createSymbolicLink(dir.resolve("link"), source);
        BackupJob.Result result = jobs.backup(dir.resolve("link"), false, BackupJob.Hook.NONE);
        assertThat(result.files()).isEqualTo(4);
        assertThat(jobs.log).singleElement().asString().contains("INFO").contains("stands for");
    }

    @Test
    void aCancelledJobStopsWhereverItIs() throws Exception {
        for (int i = 0; i < 50; i++) {
            Files.write(source.resolve("file" + i), TestTree.random(i, 300_000));
        }
        JobMonitor monitor = new JobMonitor((level, path, text) -> {});
        jobs.storage.beforePut = monitor::cancel;
        assertThatThrownBy(() -> jobs.backupWith(monitor, source, false, BackupJob.Hook.NONE))
                .isInstanceOf(CancellationException.class);
        assertThat(jobs.storage.commits).isZero();
    }

    @Test
    void aFailingStorageFailsTheJobWithItsOwnWords() {
        jobs.storage.beforePut =
                () -> {
                    throw new java.io.UncheckedIOException(new java.io.IOException("disk full"));
                };
        assertThatThrownBy(() -> jobs.backup(source, false, BackupJob.Hook.NONE))
                .hasMessageContaining("disk full");
        assertThat(jobs.log).isEmpty();
    }
}
