package io.holdfast.chunk.folder;

import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads what a store's folder holds, and says what should be done about it. Changes nothing. */
final class FolderLoader {
    private final Path folder;
    private final Path packs;
    private final List<Finding> findings = new ArrayList<>();
    private final List<Pack> loaded = new ArrayList<>();
    private Optional<UUID> incarnation;

    /**
     * One pack as found.
     *
     * @param end just after the last whole frame; where {@code fileBytes} is more, a torn tail
     *     follows
     * @param indexed its index was whole
     * @param appendable nothing in it is damaged
     */
    record Pack(
            int sequence,
            Path path,
            List<PackIndexFile.Entry> entries,
            long end,
            long fileBytes,
            boolean indexed,
            boolean appendable) {}

    /** The whole folder. An absent incarnation means that there are no packs either. */
    record Loaded(
            Optional<UUID> incarnation,
            boolean storeFile,
            List<Pack> packs,
            int lastSequence,
            List<Finding> findings) {}

    private FolderLoader(Path folder) throws IOException {
        this.folder = folder;
        this.packs = folder.resolve(FolderChunkStore.PACKS);
        this.incarnation = StoreFile.read(folder);
    }

    static Loaded load(Path folder) throws IOException {
        return new FolderLoader(folder).load();
    }

    private Loaded load() throws IOException {
        boolean storeFile = incarnation.isPresent();
        SortedMap<Long, Path> packFiles = files(".pack");
        SortedMap<Long, Path> indexFiles = files(".idx");
        for (var pack : packFiles.entrySet()) {
            boolean last = pack.getKey().equals(packFiles.lastKey());
            load(pack.getKey(), pack.getValue(), indexFiles.remove(pack.getKey()), last);
        }
        Set<Long> known = new HashSet<>(packFiles.keySet());
        indexFiles.forEach((sequence, index) -> {
            known.add(sequence);
            add(
                    Finding.Kind.PACK_LOST,
                    "the pack of " + index + " is gone; its chunks count as missing");
        });
        long first = known.stream().mapToLong(Long::longValue).min().orElse(1);
        long last = known.stream().mapToLong(Long::longValue).max().orElse(0);
        for (long sequence = first; sequence < last; sequence++) {
            if (!known.contains(sequence)) {
                add(
                        Finding.Kind.PACK_LOST,
                        packs.resolve(PackFormat.packName(sequence))
                                + " and its index are gone; its chunks count as missing");
            }
        }
        if (!storeFile && incarnation.isPresent()) {
            add(
                    Finding.Kind.STORE_FILE_REBUILT,
                    folder.resolve(StoreFile.NAME)
                            + " was gone; the packs say "
                            + incarnation.get());
        }
        if (incarnation.isEmpty() && !loaded.isEmpty()) {
            throw new StoreException.Corrupt(
                    "Refused store "
                            + folder
                            + ": it has packs, but neither a file STORE nor a whole pack header"
                            + " says which incarnation it is");
        }
        return new Loaded(incarnation, storeFile, loaded, (int) last, findings);
    }

    private SortedMap<Long, Path> files(String suffix) throws IOException {
        SortedMap<Long, Path> files = new TreeMap<>();
        if (Files.isDirectory(packs)) {
            try (Stream<Path> all = Files.list(packs)) {
                all.forEach(file ->
                        PackFormat.sequence(file, suffix)
                                .filter(n -> n > 0 && n <= Integer.MAX_VALUE)
                                .ifPresent(n -> files.put(n, file)));
            }
        }
        return files;
    }

    private void load(long sequence, Path path, @Nullable Path indexFile, boolean last)
            throws IOException {
        boolean headerWhole = checkHeader(path, sequence);
        long fileBytes = Files.size(path);
        Optional<PackIndexFile.Content> index = index(sequence, indexFile);
        if (index.isPresent()) {
            if (!headerWhole) {
                add(Finding.Kind.DAMAGE, "the header of " + path + " is damaged");
            }
            loadIndexed(path, index.get(), fileBytes);
            return;
        }
        PackScanner.Scan scan = PackScanner.scan(path);
        if (scan.entries().isEmpty() && scan.holes().isEmpty() && !headerWhole && last) {
            // A crash while it was made: it never held a durable frame. The store makes it again.
            add(Finding.Kind.TORN_TAIL, path + " was never finished; it holds nothing");
            loaded.add(new Pack((int) sequence, path, List.of(), 0, fileBytes, false, true));
            return;
        }
        if (indexFile != null || !last) {
            add(
                    Finding.Kind.INDEX_REBUILT,
                    "the index of "
                            + path
                            + (indexFile == null ? " was missing" : " was damaged")
                            + "; built again from "
                            + scan.entries().size()
                            + " frames");
        }
        if (!headerWhole) {
            add(Finding.Kind.DAMAGE, "the header of " + path + " is damaged");
        }
        for (PackScanner.Hole hole : scan.holes()) {
            add(
                    Finding.Kind.DAMAGE,
                    "%s is damaged from offset %d to %d; the chunks there count as missing"
                            .formatted(path, hole.from(), hole.to()));
        }
        if (scan.end() < scan.fileBytes()) {
            add(
                    Finding.Kind.TORN_TAIL,
                    "%s: %d bytes after offset %d are no whole frame; cut off"
                            .formatted(path, scan.fileBytes() - scan.end(), scan.end()));
        }
        loaded.add(
                new Pack(
                        (int) sequence,
                        path,
                        scan.entries(),
                        scan.end(),
                        fileBytes,
                        false,
                        headerWhole && scan.holes().isEmpty()));
    }

    private void loadIndexed(Path path, PackIndexFile.Content index, long fileBytes) {
        if (fileBytes != index.packBytes()) {
            add(
                    Finding.Kind.DAMAGE,
                    "%s has %d bytes, its index says %d; chunks beyond its end count as missing"
                            .formatted(path, fileBytes, index.packBytes()));
        }
        List<PackIndexFile.Entry> entries =
                index.entries().stream().map(entry -> within(entry, fileBytes)).toList();
        loaded.add(
                new Pack(
                        (int) index.sequence(),
                        path,
                        entries,
                        index.packBytes(),
                        fileBytes,
                        true,
                        false));
    }

    private static PackIndexFile.Entry within(PackIndexFile.Entry entry, long fileBytes) {
        return (long) entry.offset() + entry.frameBytes() <= fileBytes
                ? entry
                : new PackIndexFile.Entry(
                        entry.id(),
                        entry.kind(),
                        entry.offset(),
                        entry.frameBytes(),
                        entry.digest(),
                        true);
    }

    private Optional<PackIndexFile.Content> index(long sequence, @Nullable Path indexFile)
            throws IOException {
        if (indexFile == null) {
            return Optional.empty();
        }
        Optional<PackIndexFile.Content> index =
                PackIndexFile.parse(Files.readAllBytes(indexFile), indexFile);
        index.ifPresent(content -> adopt(content.incarnation()));
        return index.filter(content -> content.sequence() == sequence && sound(content))
                .filter(content -> incarnation.equals(Optional.of(content.incarnation())));
    }

    /** True when frames lie one behind the other within the pack. */
    private static boolean sound(PackIndexFile.Content index) {
        long end = PackFormat.HEADER_BYTES;
        for (PackIndexFile.Entry entry : index.entries()) {
            if (entry.offset() < end + PackFormat.RECORD_BYTES
                    || entry.frameBytes() <= 0
                    || entry.frameBytes() > io.holdfast.chunk.Frame.MAX_BYTES) {
                return false;
            }
            end = (long) entry.offset() + entry.frameBytes();
        }
        return end <= index.packBytes() && index.packBytes() <= Integer.MAX_VALUE;
    }

    private void adopt(UUID found) {
        if (incarnation.isEmpty()) {
            incarnation = Optional.of(found);
        }
    }

    /** True when the header is whole. @throws StoreException.Corrupt when it is another store's */
    private boolean checkHeader(Path path, long sequence) throws IOException {
        byte[] bytes = new byte[PackFormat.HEADER_BYTES];
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            if (file.length() < bytes.length) {
                return false;
            }
            file.readFully(bytes);
        }
        Optional<PackFormat.Header> header = PackFormat.parseHeader(bytes, path);
        if (header.isEmpty()) {
            return false;
        }
        adopt(header.get().incarnation());
        if (!incarnation.equals(Optional.of(header.get().incarnation()))
                || header.get().sequence() != sequence) {
            throw new StoreException.Corrupt(
                    "Refused store %s: %s is pack %d of store %s, not pack %d of store %s; move it away"
                            .formatted(
                                    folder,
                                    path,
                                    header.get().sequence(),
                                    header.get().incarnation(),
                                    sequence,
                                    incarnation.map(UUID::toString).orElse("?")));
        }
        return true;
    }

    private void add(Finding.Kind kind, String message) {
        findings.add(new Finding(kind, message));
    }
}
