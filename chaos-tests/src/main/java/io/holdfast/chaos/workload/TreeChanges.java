package io.holdfast.chaos.workload;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * A day's work in a tree: edits, appended and cut files, new files, deleted files, renamed files and
 * folders, a new hard link, symbolic links, attributes, modes and times. The same seed on the same
 * tree does the same. Not thread-safe.
 */
public final class TreeChanges {
    private final Path root;
    private final String label;
    private final RandomGenerator random;
    private final List<Change> done = new ArrayList<>();
    private int serial;

    /**
     * Changes to come.
     *
     * @param root the tree
     * @param label goes into the names of new files, so that two days' work do not collide
     * @param seed decides which files, and what happens to them
     */
    public TreeChanges(Path root, String label, long seed) {
        this.root = root;
        this.label = label;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    /** What was done to one path. */
    public record Change(Kind kind, Path path, String detail) {}

    /** The kinds of change. */
    public enum Kind {
        /** Bytes in the middle of a file written over. */
        EDIT,
        /** A file made longer. */
        APPEND,
        /** A file made shorter. */
        TRUNCATE,
        /** A new file. */
        ADD,
        /** A file deleted. */
        DELETE,
        /** A file given another name. */
        RENAME,
        /** A folder given another name. */
        RENAME_FOLDER,
        /** A second name for a file. */
        HARD_LINK,
        /** A new symbolic link. */
        SYMLINK,
        /** An extended attribute. */
        XATTR,
        /** Another mode. */
        MODE,
        /** Another time, the bytes unchanged. */
        TOUCH
    }

    /**
     * Does a day's work: about one file in {@code oneIn} is touched, and each kind of change happens
     * at least once where the tree allows it.
     *
     * @return what was done, in order
     */
    public List<Change> apply(int oneIn) throws IOException {
        List<Path> files = listed(true);
        if (files.isEmpty()) {
            add(root, 10_000);
            files = listed(true);
        }
        List<Path> folders = listed(false);
        int rounds = Math.max(1, files.size() / (oneIn * 4));
        for (int round = 0; round < rounds; round++) {
            edit(take(files));
            append(take(files));
            truncate(take(files));
            add(pick(folders), 1 + random.nextInt(200_000));
        }
        for (int i = 0; i < Math.max(1, rounds / 3); i++) {
            delete(take(files));
            rename(take(files));
        }
        add(root, 3_000_000 + random.nextInt(1_000_000));
        renameFolder(folders);
        List<Path> left = listed(true);
        List<Path> places = listed(false);
        hardLink(take(left), pick(places));
        symlink(pick(places), "dangling " + label);
        attribute(take(left));
        mode(take(left));
        touch(take(left));
        return List.copyOf(done);
    }

    /** How often each kind happened, for people: {@code 12 edits, ...}. */
    public static String summary(List<Change> changes) {
        Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
        changes.forEach(c -> counts.merge(c.kind(), 1, Integer::sum));
        List<String> words = new ArrayList<>();
        counts.forEach((kind, n) ->
                words.add(
                        n
                                + " "
                                + switch (kind) {
                                    case EDIT -> "edited";
                                    case APPEND -> "grown";
                                    case TRUNCATE -> "cut short";
                                    case ADD -> "added";
                                    case DELETE -> "deleted";
                                    case RENAME -> "renamed";
                                    case RENAME_FOLDER -> "folder renamed";
                                    case HARD_LINK -> "hard-linked";
                                    case SYMLINK -> "symlinked";
                                    case XATTR -> "given an xattr";
                                    case MODE -> "chmod";
                                    case TOUCH -> "touched";
                                }));
        return String.join(", ", words);
    }

    /** Writes a new file of random bytes, which neither compress nor deduplicate. */
    public static void writeRandom(Path file, long bytes, long seed) throws IOException {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        byte[] block = new byte[1 << 20];
        ByteBuffer view = ByteBuffer.wrap(block);
        try (OutputStream out = Files.newOutputStream(file)) {
            for (long left = bytes; left > 0; left -= block.length) {
                for (int i = 0; i < block.length; i += 8) {
                    view.putLong(i, random.nextLong());
                }
                out.write(block, 0, (int) Math.min(left, block.length));
            }
        }
    }

    /** What this user may change, sorted: the same on every machine. */
    private List<Path> listed(boolean files) throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(
                root,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path folder, BasicFileAttributes attributes) {
                        if (!files && Files.isWritable(folder)) {
                            found.add(folder);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        if (files
                                && attributes.isRegularFile()
                                && Files.isWritable(file)
                                && Files.isWritable(file.resolveSibling(""))) {
                            found.add(file);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException unreadable) {
                        return FileVisitResult.CONTINUE;
                    }
                });
        found.sort(Comparator.comparing(Path::toString));
        return found;
    }

    /** A file that no earlier change of this day has touched, while there are such. */
    private Path take(List<Path> files) {
        int index = random.nextInt(files.size());
        if (files.size() == 1) {
            return files.getFirst();
        }
        Path taken = files.get(index);
        files.set(index, files.getLast());
        files.removeLast();
        return taken;
    }

    private Path pick(List<Path> paths) {
        return paths.get(random.nextInt(paths.size()));
    }

    private String name(String kind) {
        return label + "-" + kind + "-" + ++serial;
    }

    private void note(Kind kind, Path path, String detail) {
        done.add(new Change(kind, root.relativize(path), detail));
    }

    private byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private void edit(Path file) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            long at = bytes.length() == 0 ? 0 : random.nextLong(bytes.length());
            int count = 1 + random.nextInt(4096);
            bytes.seek(at);
            bytes.write(randomBytes(count));
            note(Kind.EDIT, file, count + " bytes at " + at);
        }
    }

    private void append(Path file) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        int count = 1 + random.nextInt(20_000);
        Files.write(file, randomBytes(count), java.nio.file.StandardOpenOption.APPEND);
        note(Kind.APPEND, file, count + " bytes");
    }

    private void truncate(Path file) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            long length = bytes.length() / 2;
            bytes.setLength(length);
            note(Kind.TRUNCATE, file, "to " + length + " bytes");
        }
    }

    private void add(Path folder, int bytes) throws IOException {
        Path file = folder.resolve(name("new") + " fülle.bin");
        Files.write(file, randomBytes(bytes));
        note(Kind.ADD, file, bytes + " bytes");
    }

    private void delete(Path file) throws IOException {
        if (listed(true).size() > 3 && Files.deleteIfExists(file)) {
            note(Kind.DELETE, file, "");
        }
    }

    private void rename(Path file) throws IOException {
        if (Files.exists(file)) {
            Path to = file.resolveSibling(name("renamed"));
            Files.move(file, to);
            note(Kind.RENAME, file, "to " + root.relativize(to));
        }
    }

    private void renameFolder(List<Path> folders) throws IOException {
        List<Path> below =
                folders.stream()
                        .filter(f -> !f.equals(root) && Files.isWritable(f.resolveSibling("")))
                        .toList();
        if (!below.isEmpty()) {
            Path folder = pick(below);
            Path to = folder.resolveSibling(name("folder"));
            Files.move(folder, to);
            note(Kind.RENAME_FOLDER, folder, "to " + root.relativize(to));
        }
    }

    private void hardLink(Path file, Path folder) throws IOException {
        Path link = folder.resolve(name("hard"));
        Files.createLink(link, file);
        note(Kind.HARD_LINK, link, "to " + root.relativize(file));
    }

    private void symlink(Path folder, String target) throws IOException {
        Path link = folder.resolve(name("symlink"));
        Files.createSymbolicLink(link, Path.of(target));
        note(Kind.SYMLINK, link, "to " + target);
    }

    private void attribute(Path file) throws IOException {
        UserDefinedFileAttributeView view =
                Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
        if (view != null && Files.getFileStore(file).supportsFileAttributeView("user")) {
            byte[] value = ("of " + label).getBytes(StandardCharsets.UTF_8);
            view.write("holdfast.drill", ByteBuffer.wrap(value));
            note(Kind.XATTR, file, "user.holdfast.drill");
        }
    }

    private void mode(Path file) throws IOException {
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
        if (!mode.remove(PosixFilePermission.OWNER_EXECUTE)) {
            mode.add(PosixFilePermission.OWNER_EXECUTE);
        }
        Files.setPosixFilePermissions(file, mode);
        note(Kind.MODE, file, "owner's x turned over");
    }

    private void touch(Path file) throws IOException {
        Instant time = Instant.ofEpochSecond(1_000_000_000L + random.nextInt(500_000_000), 7);
        Files.setLastModifiedTime(file, FileTime.from(time));
        note(Kind.TOUCH, file, time.toString());
    }
}
