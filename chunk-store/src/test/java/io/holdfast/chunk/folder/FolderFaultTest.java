package io.holdfast.chunk.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.Samples;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Full and failing disks. */
class FolderFaultTest {
    private static final FolderChunkStore.Options SMALL = new FolderChunkStore.Options(8192);

    @TempDir Path temporary;
    private Sealer sealer;

    @BeforeEach
    void open() {
        sealer = Samples.sealer(1);
    }

    @AfterEach
    void close() {
        sealer.close();
    }

    private byte[] frame(int n) {
        return Samples.dataFrame(sealer, n, 700);
    }

    private static boolean append(FolderChunkStore store, byte[] frame) throws IOException {
        return store.append(Samples.SESSION, frame, 0, frame.length);
    }

    @Test
    void aFullDiskRefusesOneFrameAndLosesNone() throws Exception {
        FaultyDisk disk = new FaultyDisk();
        List<byte[]> kept = new ArrayList<>();
        try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL, disk)) {
            // At any point: in a record header, in a frame, in a new pack's header, in an index.
            for (int n = 0; n < 400; n++) {
                disk.room = n * 37 % 1700;
                byte[] frame = frame(n);
                try {
                    append(store, frame);
                    kept.add(frame);
                } catch (StoreException.Full e) {
                    assertThat(e).hasMessageContaining("no space left in " + temporary);
                    assertThat(store.holds(Samples.id(frame))).isFalse();
                }
                if (n % 3 == 0) {
                    store.sync();
                }
            }
            assertThat(kept.size()).isBetween(150, 350);
            disk.room = Long.MAX_VALUE;
            byte[] last = frame(1000);
            append(store, last);
            kept.add(last);
            store.sync();
            for (byte[] frame : kept) {
                assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
            }
        }
        try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL, disk)) {
            assertThat(store.findings()).isEmpty();
            assertThat(store.inventory()).hasSize(kept.size());
            for (byte[] frame : kept) {
                assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
            }
        }
    }

    @Test
    void aRealFullFileSystemIsRefusedAndWorksAgainAfterSpaceIsFreed() throws Exception {
        Path mount = Files.createDirectory(temporary.resolve("mount"));
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mount.toString()) == 0,
                "mounting a tmpfs needs root");
        try {
            Path ballast = mount.resolve("ballast");
            Files.write(ballast, new byte[1 << 20]);
            List<byte[]> acknowledged = new ArrayList<>();
            try (FolderChunkStore store =
                    FolderChunkStore.open(
                            mount.resolve("store"), new FolderChunkStore.Options(1 << 20))) {
                byte[] refused = null;
                for (int n = 0; refused == null; n++) {
                    byte[] frame = Samples.dataFrame(sealer, n, 100_000);
                    try {
                        append(store, frame);
                        store.sync();
                        acknowledged.add(frame);
                    } catch (StoreException.Full e) {
                        refused = frame;
                    }
                }
                assertThat(acknowledged.size()).isBetween(20, 31);
                for (byte[] frame : acknowledged) {
                    assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
                }
                Files.delete(ballast);
                append(store, refused);
                store.sync();
                acknowledged.add(refused);
            }
            try (FolderChunkStore store =
                    FolderChunkStore.open(
                            mount.resolve("store"), new FolderChunkStore.Options(1 << 20))) {
                assertThat(store.findings()).isEmpty();
                for (byte[] frame : acknowledged) {
                    assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
                }
            }
        } finally {
            run("umount", mount.toString());
        }
    }

    private static int run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        return process.waitFor(20, TimeUnit.SECONDS) ? process.exitValue() : -1;
    }

    @Test
    void afterAFailedFsyncNothingIsWrittenUntilReopened() throws Exception {
        FaultyDisk disk = new FaultyDisk();
        byte[] durable = frame(1);
        byte[] lost = frame(2);
        try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL, disk)) {
            append(store, durable);
            store.sync();
            append(store, lost);
            disk.failingSyncs = 1;
            assertThatThrownBy(store::sync)
                    .isInstanceOf(StoreException.Failed.class)
                    .hasMessageContaining("until it is opened again");
            // The disk is well again; the store must not pretend that nothing happened.
            assertThatThrownBy(store::sync).isInstanceOf(StoreException.Failed.class);
            assertThatThrownBy(() -> append(store, lost)).isInstanceOf(StoreException.Failed.class);
            assertThatThrownBy(() -> append(store, frame(3)))
                    .isInstanceOf(StoreException.Failed.class)
                    .hasMessageContaining("writing failed before");
            assertThat(store.holds(Samples.id(lost))).isFalse();
            assertThat(store.read(Samples.id(durable))).isEqualTo(durable);
        }
        try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL, disk)) {
            assertThat(store.findings()).isEmpty();
            assertThat(store.holds(Samples.id(durable))).isTrue();
            assertThat(store.holds(Samples.id(lost)))
                    .as("cut off: it may be cached only")
                    .isFalse();
            append(store, lost);
            store.sync();
            assertThat(store.read(Samples.id(lost))).isEqualTo(lost);
        }
    }

    /** Somebody removes the folder, or mounts another in its place: an fsync would still succeed. */
    @Test
    void whatHasNoNameAnyMoreIsNotAcknowledged() throws Exception {
        Path packs = temporary.resolve("packs");
        Path moved = temporary.resolve("moved");
        for (boolean another : new boolean[] {false, true}) {
            byte[] lost = frame(another ? 3 : 1);
            byte[] kept = frame(another ? 2 : 0);
            try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL)) {
                append(store, kept);
                store.sync();
                append(store, lost);
                Files.move(packs, moved);
                if (another) {
                    Files.createDirectory(packs);
                    try (var files = Files.list(moved)) {
                        for (Path file : files.toList()) {
                            Files.copy(file, packs.resolve(file.getFileName()));
                        }
                    }
                }
                assertThatThrownBy(store::sync)
                        .isInstanceOf(StoreException.Failed.class)
                        .hasMessageContaining(packs.toString())
                        .hasMessageContaining(another ? "is not the file any more" : "was removed");
                assertThatThrownBy(() -> append(store, frame(9)))
                        .isInstanceOf(StoreException.Failed.class);
            }
            if (another) {
                try (var files = Files.list(packs)) {
                    for (Path file : files.toList()) {
                        Files.delete(file);
                    }
                }
                Files.delete(packs);
            }
            Files.move(moved, packs);
            try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL)) {
                assertThat(store.read(Samples.id(kept))).isEqualTo(kept);
                assertThat(store.holds(Samples.id(lost))).isFalse();
            }
        }
    }

    @Test
    void aDeadDiskStillLetsReadAndCloses() throws Exception {
        FaultyDisk disk = new FaultyDisk();
        byte[] durable = frame(1);
        try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL, disk)) {
            append(store, durable);
            store.sync();
            disk.dead = true;
            assertThatThrownBy(() -> append(store, frame(2)))
                    .isInstanceOf(StoreException.Failed.class)
                    .hasMessageContaining("Input/output error");
            assertThat(store.read(Samples.id(durable))).isEqualTo(durable);
        }
    }

    @Test
    void aFailingIndexDoesNotFailTheSync() throws Exception {
        FaultyDisk disk = new FaultyDisk();
        List<ChunkId> ids = new ArrayList<>();
        try (FolderChunkStore store = FolderChunkStore.open(temporary, SMALL, disk)) {
            for (int n = 0; n < 20; n++) {
                byte[] frame = frame(n);
                ids.add(Samples.id(frame));
                append(store, frame);
            }
            disk.room = 0; // the packs are written; there is no room for an index
            store.sync();
            assertThat(ids).allMatch(store::holds);
            assertThat(temporary.resolve("packs/0000000001.idx")).doesNotExist();
            disk.room = Long.MAX_VALUE;
            append(store, frame(30));
            store.sync();
            assertThat(temporary.resolve("packs/0000000001.idx")).exists();
        }
    }

    @Test
    void oneFsyncServesAllWhoWait() throws Exception {
        CountDownLatch appended = new CountDownLatch(8);
        CountDownLatch release = new CountDownLatch(1);
        FaultyDisk disk = new FaultyDisk();
        try (FolderChunkStore store =
                        FolderChunkStore.open(temporary, FolderChunkStore.Options.DEFAULT, disk);
                ExecutorService pool = Executors.newFixedThreadPool(8)) {
            List<Future<?>> waiters = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                int n = t;
                waiters.add(
                        pool.submit(() -> {
                            byte[] frame;
                            try (Sealer own = Samples.sealer(50 + n)) {
                                frame = Samples.dataFrame(own, n, 500);
                            }
                            store.append(new UUID(0, n), frame, 0, frame.length);
                            appended.countDown();
                            release.await();
                            store.sync();
                            assertThat(store.holds(Samples.id(frame))).isTrue();
                            return null;
                        }));
            }
            appended.await();
            int before = disk.syncs;
            release.countDown();
            for (Future<?> waiter : waiters) {
                waiter.get();
            }
            // All frames were there before the first fsync began: one of them covers all.
            assertThat(disk.syncs - before).isEqualTo(1);
        }
    }
}
