package io.holdfast.chunk.folder;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore.Tailed;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.Samples;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.StoreException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Work, full disks, failing fsyncs and power losses in a row, from a seed. After each: every
 * acknowledged frame reads back, every listed frame reads back or is named as damaged, and positions
 * that were handed out still mean the same. A failure names its seed; run that one again with {@code
 * -Dtest=PowerLossSimulation}.
 */
class PowerLossSimulation {
    private static final FolderChunkStore.Options SMALL = new FolderChunkStore.Options(6000);

    @TempDir Path folder;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void whatWasAcknowledgedSurvives(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        FaultyDisk disk = new FaultyDisk();
        Map<ChunkId, byte[]> acknowledged = new LinkedHashMap<>();
        LogPosition cursor = LogPosition.START;
        List<ChunkId> shipped = new ArrayList<>();
        int next = 0;
        for (int life = 0; life < 25; life++) {
            FolderChunkStore store = FolderChunkStore.open(folder, SMALL, disk);
            for (Map.Entry<ChunkId, byte[]> frame : acknowledged.entrySet()) {
                assertThat(store.read(frame.getKey()).length).isEqualTo(frame.getValue().length);
            }
            for (Tailed listed : store.inventory()) {
                if (listed.damage().isEmpty()) {
                    store.read(listed.id());
                }
            }
            Map<ChunkId, byte[]> pending = new LinkedHashMap<>();
            try (Sealer sealer = Samples.sealer(seed * 100 + life)) {
                for (int step = random.nextInt(40); step > 0; step--) {
                    disk.room = random.nextInt(8) == 0 ? random.nextInt(500) : Long.MAX_VALUE;
                    disk.failingSyncs = random.nextInt(30) == 0 ? 1 : 0;
                    if (random.nextInt(4) == 0) {
                        store.sync();
                        acknowledged.putAll(pending);
                        pending.clear();
                        for (Tailed more : store.tail(cursor, 5)) {
                            shipped.add(more.id());
                            cursor = more.after();
                        }
                    } else {
                        byte[] frame = Samples.dataFrame(sealer, next++, random.nextInt(2500));
                        if (store.append(Samples.SESSION, frame, 0, frame.length)) {
                            pending.put(Samples.id(frame), frame);
                        }
                    }
                }
            } catch (StoreException.Full | StoreException.Failed e) {
                assertThat(e.getMessage()).isNotBlank();
            }
            // The process dies: its files are let go of as they are, and some power goes, too.
            store.abandon();
            disk.failingSyncs = 0;
            disk.room = Long.MAX_VALUE;
            if (random.nextBoolean()) {
                disk.losePower(random);
            }
        }
        try (FolderChunkStore store = FolderChunkStore.open(folder, SMALL, disk)) {
            // A cursor of a replica never skips a frame, and never sees one twice.
            for (Tailed more : store.tail(cursor, Integer.MAX_VALUE)) {
                shipped.add(more.id());
            }
            assertThat(shipped).doesNotHaveDuplicates().containsAll(acknowledged.keySet());
        }
        assertThat(acknowledged.size()).as("frames that mattered").isGreaterThan(20);
    }
}
