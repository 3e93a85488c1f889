package io.holdfast.agent.files;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;

/** Jobs on a {@link FakeStorage}. */
final class Jobs {
    static final InstantSource AHEAD = () -> Instant.now().plusSeconds(3600);

    final FakeStorage storage = new FakeStorage();
    final DomainKey key = DomainKey.generate(UUID.randomUUID(), 1, new SecureRandom());
    final List<String> log = new CopyOnWriteArrayList<>();
    final Path cache;
    JobMonitor monitor = new JobMonitor((level, path, text) -> {});
    UUID piece = UUID.randomUUID();
    InstantSource clock = AHEAD;
    long epoch = 0x101;

    Jobs(Path cache) {
        this.cache = cache;
    }

    BackupJob.Result backup(Path source, boolean incremental, BackupJob.Hook hook)
            throws Exception {
        log.clear();
        monitor = new JobMonitor((level, path, text) -> log.add(level + " " + path + ": " + text));
        piece = UUID.randomUUID();
        return backupWith(monitor, source, incremental, hook);
    }

    BackupJob.Result backupWith(
            JobMonitor with, Path source, boolean incremental, BackupJob.Hook hook)
            throws Exception {
        CatalogRecord record =
                new CatalogRecord(
                        piece,
                        UUID.randomUUID(),
                        "c",
                        source.toString(),
                        "files/full",
                        "o",
                        "127.0.0.1:1?READ?/x",
                        1,
                        Long.MAX_VALUE,
                        0,
                        "main",
                        Map.of());
        return new BackupJob(
                        new BackupJob.Spec(
                                UUID.randomUUID(),
                                epoch,
                                record,
                                source.toString().getBytes(StandardCharsets.UTF_8),
                                incremental,
                                Chunking.DEFAULT,
                                1,
                                List.of(),
                                false,
                                cache,
                                3),
                        key,
                        storage,
                        with,
                        clock,
                        hook)
                .run();
    }

    RestoreJob.Result restore(ChunkId header, Path target, boolean overwrite) throws Exception {
        log.clear();
        monitor = new JobMonitor((level, path, text) -> log.add(level + " " + path + ": " + text));
        return new RestoreJob(
                        new RestoreJob.Spec(
                                UUID.randomUUID(),
                                piece,
                                header,
                                target.toString().getBytes(StandardCharsets.UTF_8),
                                List.of(),
                                overwrite,
                                2),
                        key,
                        storage,
                        monitor)
                .run();
    }
}
