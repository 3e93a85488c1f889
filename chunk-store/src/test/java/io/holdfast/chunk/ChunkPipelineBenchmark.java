package io.holdfast.chunk;

import io.holdfast.chunk.folder.FolderChunkStore;
import io.holdfast.standard.Chunking;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * What one thread of the pipeline does in a second, step by step, beside the raw thing: memcpy for
 * the steps in memory, a plain write and fsync for the store; by the clock and by the processor time
 * of the thread, whose ratio to the raw thing is the last column. Best of five rounds of 64 MiB. Not a
 * test: run {@code main} with the test class path, and a folder to write in as its argument.
 */
public final class ChunkPipelineBenchmark {
    private static final int BYTES = 64 << 20;
    private static final int ROUNDS = 5;

    private ChunkPipelineBenchmark() {}

    private interface Step {
        void run() throws IOException;
    }

    public static void main(String[] args) throws IOException {
        Path folder = Files.createTempDirectory(Path.of(args.length > 0 ? args[0] : "."), "bench");
        try {
            SplittableRandom random = new SplittableRandom(1);
            byte[] noise = new byte[BYTES];
            random.nextBytes(noise);
            System.out.printf(
                    Locale.ROOT,
                    "%-34s %10s %14s %12s%n",
                    "step",
                    "MB/s",
                    "MB/CPU-second",
                    "of raw");
            double memcpy =
                    measure(
                            "memcpy",
                            0,
                            () -> System.arraycopy(noise, 0, new byte[BYTES], 0, BYTES));
            measure("chunk", memcpy, () -> chunk(noise));
            pipeline("noise, zstd 1", noise, 1, memcpy);
            pipeline("text, zstd 1", Samples.text(random, BYTES), 1, memcpy);
            pipeline("text, zstd 3", Samples.text(random, BYTES), 3, memcpy);
            store(folder, noise);
        } finally {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    private static List<int[]> chunk(byte[] bytes) throws IOException {
        List<int[]> cuts = new ArrayList<>();
        Chunker chunker = new Chunker(Chunking.DEFAULT, new ByteArrayInputStream(bytes));
        int at = 0;
        while (chunker.next()) {
            cuts.add(new int[] {at, chunker.length()});
            at += chunker.length();
        }
        return cuts;
    }

    private static void pipeline(String what, byte[] bytes, int level, double memcpy)
            throws IOException {
        List<int[]> cuts = chunk(bytes);
        try (Sealer sealer = new Sealer(Samples.key(), level)) {
            List<ChunkId> ids = new ArrayList<>();
            measure(
                    "id, " + what,
                    memcpy,
                    () -> {
                        ids.clear();
                        for (int[] cut : cuts) {
                            ids.add(sealer.id(bytes, cut[0], cut[1]));
                        }
                    });
            List<byte[]> frames = new ArrayList<>();
            measure("seal, " + what, memcpy, () -> seal(sealer, bytes, cuts, ids, frames));
            measure(
                    "open and verify, " + what,
                    memcpy,
                    () -> {
                        for (byte[] frame : frames) {
                            sealer.open(frame);
                        }
                    });
            measure(
                    "chunk + id + seal, " + what,
                    memcpy,
                    () -> {
                        Chunker chunker =
                                new Chunker(Chunking.DEFAULT, new ByteArrayInputStream(bytes));
                        while (chunker.next()) {
                            ChunkId id =
                                    sealer.id(chunker.buffer(), chunker.offset(), chunker.length());
                            sealer.seal(
                                    FrameKind.DATA,
                                    id,
                                    chunker.buffer(),
                                    chunker.offset(),
                                    chunker.length(),
                                    List.of());
                        }
                    });
        }
    }

    private static void seal(
            Sealer sealer, byte[] bytes, List<int[]> cuts, List<ChunkId> ids, List<byte[]> frames) {
        frames.clear();
        for (int i = 0; i < cuts.size(); i++) {
            int[] cut = cuts.get(i);
            frames.add(sealer.seal(FrameKind.DATA, ids.get(i), bytes, cut[0], cut[1], List.of()));
        }
    }

    private static void store(Path folder, byte[] bytes) throws IOException {
        List<byte[]> frames = new ArrayList<>();
        try (Sealer sealer = new Sealer(Samples.key(), 0)) {
            List<int[]> cuts = chunk(bytes);
            List<ChunkId> ids = new ArrayList<>();
            for (int[] cut : cuts) {
                ids.add(sealer.id(bytes, cut[0], cut[1]));
            }
            seal(sealer, bytes, cuts, ids, frames);
        }
        int[] round = {0};
        double raw =
                measure(
                        "raw write, fsync every 16",
                        0,
                        () -> {
                            Path file = folder.resolve("raw" + round[0]++);
                            try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
                                for (int i = 0; i < frames.size(); i++) {
                                    out.write(frames.get(i));
                                    if (i % 16 == 15) {
                                        out.getFD().sync();
                                    }
                                }
                                out.getFD().sync();
                            }
                        });
        FolderChunkStore[] last = new FolderChunkStore[1];
        measure(
                "store: append, sync every 16",
                raw,
                () -> {
                    if (last[0] != null) {
                        last[0].close();
                    }
                    last[0] =
                            FolderChunkStore.open(
                                    folder.resolve("store" + round[0]++),
                                    FolderChunkStore.Options.DEFAULT);
                    for (int i = 0; i < frames.size(); i++) {
                        last[0].append(Samples.SESSION, frames.get(i), 0, frames.get(i).length);
                        if (i % 16 == 15) {
                            last[0].sync();
                        }
                    }
                    last[0].sync();
                });
        measure(
                "store: read and verify",
                raw,
                () -> {
                    for (byte[] frame : frames) {
                        last[0].read(Samples.id(frame));
                    }
                });
        last[0].close();
    }

    /** MB a second of the thread's own processor time: on a busy machine the only fair figure. */
    private static double measure(String what, double raw, Step step) throws IOException {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        double bestWall = 0;
        double bestCpu = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long began = System.nanoTime();
            long cpuBegan = threads.getCurrentThreadCpuTime();
            step.run();
            double seconds = (System.nanoTime() - began) / 1e9;
            double cpuSeconds = (threads.getCurrentThreadCpuTime() - cpuBegan) / 1e9;
            bestWall = Math.max(bestWall, BYTES / 1e6 / seconds);
            bestCpu = Math.max(bestCpu, BYTES / 1e6 / cpuSeconds);
        }
        String ratio = raw > 0 ? String.format(Locale.ROOT, "%.2f", bestCpu / raw) : "";
        System.out.printf(
                Locale.ROOT, "%-34s %10.0f %14.0f %12s%n", what, bestWall, bestCpu, ratio);
        return bestCpu;
    }
}
