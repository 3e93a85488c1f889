package io.holdfast.agent.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.holdfast.agent.TestTree;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.ManifestEntry;
import io.holdfast.chunk.ManifestWriter;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.proto.v1.Directory;
import io.holdfast.chunk.proto.v1.Entry;
import io.holdfast.chunk.proto.v1.Node;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Restores of damaged and of hostile pieces, and into hostile targets. */
class RestoreJobTest {
    @TempDir Path dir;
    Jobs jobs;
    Path source;
    Path target;

    @BeforeEach
    void start() throws Exception {
        jobs = new Jobs(Files.createDirectories(dir.resolve("cache")));
        source = Files.createDirectories(dir.resolve("source"));
        target = dir.resolve("target");
    }

    @Test
    void aCorruptChunkNamesItsFileAndTheOthersAreRestored() throws Exception {
        byte[] large = TestTree.random(1, 9 << 20);
        Files.write(source.resolve("large"), large);
        Files.createLink(source.resolve("other-name"), source.resolve("large"));
        Files.write(source.resolve("fine"), TestTree.random(2, 700_000));
        Files.writeString(source.resolve("small"), "small");
        BackupJob.Result backup = jobs.backup(source, false, BackupJob.Hook.NONE);
        ChunkId second = contentOf(backup, "large").get(1);
        jobs.storage.store.damage(second, 4_000);

        RestoreJob.Result result = jobs.restore(backup.pieceHeader(), target, false);
        assertThat(result.errors()).isEqualTo(2);
        assertThat(jobs.log).anyMatch(l -> l.startsWith("ERROR large: damaged"));
        assertThat(jobs.log).anyMatch(l -> l.startsWith("ERROR other-name: "));
        assertThat(target.resolve("large")).doesNotExist();
        byte[] kept = Files.readAllBytes(target.resolve("large.holdfast-damaged"));
        assertThat(kept).isNotEmpty().isEqualTo(Arrays.copyOf(large, kept.length));
        assertThat(target.resolve("fine")).hasBinaryContent(TestTree.random(2, 700_000));
        assertThat(target.resolve("small")).hasContent("small");
    }

    @Test
    void anOverwrittenFileStaysWhenTheNewOneIsDamaged() throws Exception {
        Files.write(source.resolve("f"), TestTree.random(1, 9 << 20));
        BackupJob.Result backup = jobs.backup(source, false, BackupJob.Hook.NONE);
        jobs.storage.store.damage(contentOf(backup, "f").get(2), 999);
        Files.createDirectories(target);
        Files.writeString(target.resolve("f"), "old");
        assertThat(jobs.restore(backup.pieceHeader(), target, true).errors()).isEqualTo(1);
        assertThat(target.resolve("f")).hasContent("old");
        try (var files = Files.list(target)) {
            assertThat(files.map(p -> p.getFileName().toString()))
                    .containsExactlyInAnyOrder("f", "f.holdfast-damaged");
        }
    }

    private List<ChunkId> contentOf(BackupJob.Result backup, String name) throws Exception {
        try (PieceReader reader = PieceReader.open(jobs.storage, jobs.key, backup.pieceHeader())) {
            for (ManifestEntry entry : reader.entries(reader.root())) {
                if (PathBytes.text(entry.name()).equals(name)) {
                    return List.copyOf(entry.content());
                }
            }
        }
        throw new AssertionError(name);
    }

    @Test
    void aFileOfManyChunksComesBack() throws Exception {
        // More than 64 chunks: its list is split off into nodes of its own.
        Files.write(source.resolve("huge"), TestTree.random(5, 100 << 20));
        BackupJob.Result backup = jobs.backup(source, false, BackupJob.Hook.NONE);
        RestoreJob.Result result = jobs.restore(backup.pieceHeader(), target, false);
        assertThat(result.errors()).isZero();
        assertThat(Files.mismatch(source.resolve("huge"), target.resolve("huge"))).isEqualTo(-1);
    }

    @Test
    void namesThatLeaveTheTargetAreRefused() throws Exception {
        for (String evil : new String[] {"..", ".", "", "a/b", "../../escaped", "/etc/x", "x\0y"}) {
            ChunkId header = evilPiece(evil);
            Path into = dir.resolve("into-" + evil.hashCode());
            RestoreJob.Result result = jobs.restore(header, into, false);
            assertThat(result.errors()).as("'%s'", evil).isPositive();
            try (var files = Files.walk(into)) {
                assertThat(files.filter(Files::isRegularFile)).isEmpty();
            }
        }
        assertThat(dir.resolve("escaped")).doesNotExist();
        assertThat(dir.getParent().resolve("escaped")).doesNotExist();
    }

    /** A piece whose one file has a name that no honest writer gives. */
    private ChunkId evilPiece(String name) throws Exception {
        try (Sealer sealer = new Sealer(jobs.key, 1)) {
            byte[] plain =
                    Node.newBuilder()
                            .setVersion(1)
                            .setDirectory(
                                    Directory.newBuilder()
                                            .addEntries(
                                                    Entry.newBuilder()
                                                            .setName(ByteString.copyFromUtf8(name))
                                                            .setTypeValue(1)
                                                            .setMode(0644)))
                            .build()
                            .toByteArray();
            ChunkId node = put(sealer, FrameKind.NODE, plain, List.of());
            ManifestEntry top =
                    new ManifestEntry(
                            new byte[0],
                            ManifestEntry.Type.DIRECTORY,
                            0755,
                            0,
                            0,
                            "",
                            "",
                            0,
                            0,
                            new byte[0],
                            0,
                            0,
                            new TreeMap<>(),
                            List.of(),
                            Optional.of(node));
            ChunkId root =
                    new ManifestWriter(
                                    (kind, bytes, children) -> put(sealer, kind, bytes, children))
                            .root(top);
            jobs.piece = UUID.randomUUID();
            PieceHeader header =
                    new PieceHeader(
                            new CatalogRecord(
                                    jobs.piece,
                                    UUID.randomUUID(),
                                    "c",
                                    "/evil",
                                    "files/full",
                                    "o",
                                    "127.0.0.1:1?READ?/x",
                                    1,
                                    2,
                                    0,
                                    "main",
                                    Map.of()),
                            UUID.randomUUID(),
                            jobs.key.domain(),
                            jobs.key.keyEpoch(),
                            root,
                            Chunking.DEFAULT);
            assertThat(jobs.storage.commit(header.frame()).missing()).isEmpty();
            return header.id();
        }
    }

    private ChunkId put(Sealer sealer, FrameKind kind, byte[] plain, List<ChunkId> children)
            throws IOException {
        ChunkId id = sealer.id(kind, plain, 0, plain.length, children);
        jobs.storage.put(sealer.seal(kind, id, plain, 0, plain.length, children));
        return id;
    }

    @Test
    void aSymlinkInTheTargetIsNotFollowed() throws Exception {
        Files.createDirectories(source.resolve("folder/deeper"));
        Files.writeString(source.resolve("folder/file"), "restored");
        Files.writeString(source.resolve("folder/deeper/file"), "restored");
        Files.writeString(source.resolve("file"), "restored");
        BackupJob.Result backup = jobs.backup(source, false, BackupJob.Hook.NONE);
        Path outside = Files.createDirectories(dir.resolve("outside"));
        Files.writeString(outside.resolve("victim"), "untouched");
        Files.createDirectories(target);
        Files.createSymbolicLink(target.resolve("folder"), outside);
        Files.createSymbolicLink(target.resolve("file"), outside.resolve("victim"));

        RestoreJob.Result result = jobs.restore(backup.pieceHeader(), target, true);
        assertThat(result.errors()).isEqualTo(1);
        assertThat(jobs.log).anyMatch(l -> l.startsWith("ERROR folder: folder not restored"));
        assertThat(outside).isDirectoryNotContaining("glob:**file");
        assertThat(outside.resolve("victim")).hasContent("untouched");
        assertThat(target.resolve("file")).isRegularFile().hasContent("restored");
    }

    @Test
    void aFolderReplacedByASymlinkMeanwhileIsNoLongerEntered() throws Exception {
        Files.createDirectories(target.resolve("a/b"));
        Path outside = Files.createDirectories(dir.resolve("outside/b"));
        int fd = Posix.openat(Posix.AT_FDCWD, PathBytes.of(target), Posix.O_DIRECTORY, 0);
        try (TargetFolders folders = new TargetFolders(fd)) {
            folders.open(TargetFolders.utf8("a/b"));
            folders.open(new byte[0]);
            Files.move(target.resolve("a"), target.resolve("was-a"));
            Files.createSymbolicLink(target.resolve("a"), outside.getParent());
            assertThatThrownBy(() -> folders.open(TargetFolders.utf8("a/b")))
                    .isInstanceOf(Posix.Failure.class);
        } finally {
            Posix.close(fd);
        }
    }

    @Test
    void anotherPieceOrAFolderThatIsAFileIsRefused() throws Exception {
        Files.writeString(source.resolve("f"), "x");
        BackupJob.Result backup = jobs.backup(source, false, BackupJob.Hook.NONE);
        Files.writeString(dir.resolve("file"), "x");
        assertThatThrownBy(() -> jobs.restore(backup.pieceHeader(), dir.resolve("file"), false))
                .hasMessageContaining("not a folder");
        jobs.piece = UUID.randomUUID();
        assertThatThrownBy(() -> jobs.restore(backup.pieceHeader(), target, false))
                .isInstanceOf(BackupJob.Failed.class)
                .hasMessageContaining("nothing was restored");
        assertThat(target).doesNotExist();
        assertThatThrownBy(() -> jobs.restore(backup.root(), target, false))
                .isInstanceOf(IOException.class);
    }

    @Test
    void targetsWithOddNamesWork() throws Exception {
        Files.writeString(source.resolve("f"), "x");
        BackupJob.Result backup = jobs.backup(source, false, BackupJob.Hook.NONE);
        Path odd = PathBytes.child(dir, "zïel".getBytes(StandardCharsets.UTF_8));
        RestoreJob.Result result =
                new RestoreJob(
                                new RestoreJob.Spec(
                                        UUID.randomUUID(),
                                        jobs.piece,
                                        backup.pieceHeader(),
                                        PathBytes.of(odd),
                                        List.of(),
                                        false,
                                        1),
                                jobs.key,
                                jobs.storage,
                                new JobMonitor((level, path, text) -> {}))
                        .run();
        assertThat(result.files()).isEqualTo(1);
        assertThat(odd.resolve("f")).hasContent("x");
    }
}
