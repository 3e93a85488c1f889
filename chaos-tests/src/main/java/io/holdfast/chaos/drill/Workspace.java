package io.holdfast.chaos.drill;

import io.holdfast.chaos.cluster.Temporary;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/** The one temporary folder of a drill, and the copies of the user's files in it. */
final class Workspace {
    /**
     * Trees of the size of the user's at the same time, at most. Both clients are of one dedup domain:
     * a site's store holds what they share once.
     *
     * <pre>
     *                                           stores  copies  restored
     * 6 restored at DR                               2       2         1   5
     *   the lost disks are discarded
     *   first full backup beside it                  2               1+1   4
     * 8 merged piece beside it                       2               1+1   4
     *   origins hidden, both restored at local       2               1+2   5
     * </pre>
     */
    private static final int TREES = 5;

    /** The same when nothing is discarded: 2 stores, 2 copies, 3 restored at DR, 2 at local. */
    private static final int TREES_KEPT = 9;

    /** What a file takes beside its bytes: the rest of its last block, its entry, its inode. */
    private static final long FILE_BYTES = 4096;

    /** Logs, databases, Raft logs and the drill's own random files. */
    private static final long OWN_BYTES = 1_500_000_000L;

    private final Path root;
    private final boolean keep;

    private Workspace(Path root, boolean keep) {
        this.root = root;
        this.keep = keep;
    }

    /** Size of a tree. */
    record Size(long files, long bytes, List<Path> unreadable) {}

    /** What is in {@code folder}. Reads names and sizes only. */
    static Size measure(Path folder) throws IOException {
        long[] sums = new long[2];
        List<Path> unreadable = new ArrayList<>();
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        if (attributes.isRegularFile()) {
                            sums[0]++;
                            sums[1] += attributes.size();
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException why) {
                        unreadable.add(file);
                        return FileVisitResult.CONTINUE;
                    }
                });
        return new Size(sums[0], sums[1], List.copyOf(unreadable));
    }

    /**
     * Makes the folder, below TMPDIR or the system's temporary folder.
     *
     * @param keep whether everything shall be there at the end
     * @throws DrillFailed when there is not enough space, or it would lie inside {@code source}
     */
    static Workspace create(Path source, Size size, boolean keep) throws IOException, DrillFailed {
        Path base = Temporary.base();
        if (base.startsWith(source)) {
            throw new DrillFailed(
                    "The temporary folder "
                            + base
                            + " lies inside "
                            + source
                            + ", which is only read; set TMPDIR to a folder outside of it");
        }
        requireSpace(base, size, keep);
        return new Workspace(Files.createTempDirectory(base, "holdfast-drill-"), keep);
    }

    /** Fails when there is not enough space for a tree of this size; before it is copied. */
    void requireSpace(Size size) throws IOException, DrillFailed {
        requireSpace(root, size, keep);
    }

    private static void requireSpace(Path folder, Size size, boolean keep)
            throws IOException, DrillFailed {
        long needed = needed(size, keep);
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < needed) {
            throw new DrillFailed(
                    "A drill on "
                            + Units.bytes(size.bytes())
                            + " needs about "
                            + Units.bytes(needed)
                            + " in "
                            + folder
                            + (keep ? " with --keep" : "")
                            + ", and "
                            + Units.bytes(free)
                            + " are free; set TMPDIR to a larger disk or give a smaller folder");
        }
    }

    /** How much the drill may need at most for a tree of this size. */
    static long needed(Size size, boolean keep) {
        long tree = size.bytes() + FILE_BYTES * size.files();
        return (keep ? TREES_KEPT : TREES) * tree + OWN_BYTES;
    }

    Path root() {
        return root;
    }

    Path resolve(String name) {
        return root.resolve(name);
    }

    /**
     * Copies the tree with everything that it has: modes, owners, times, links, attributes.
     *
     * @return lines about what could not be copied
     */
    List<String> copy(Path from, Path to) throws IOException, InterruptedException {
        Files.createDirectories(to);
        Process cp =
                new ProcessBuilder("cp", "-a", "--reflink=auto", from + "/.", to + "/")
                        .redirectErrorStream(true)
                        .redirectInput(new File("/dev/null"))
                        .start();
        List<String> lines =
                new String(cp.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                        .lines()
                        .toList();
        int exit = cp.waitFor();
        if (exit != 0 && lines.isEmpty()) {
            throw new IOException("cp -a " + from + " ended with exit code " + exit);
        }
        if (exit != 0) {
            // What could not be read has left folders that nobody could back up either.
            run("chmod", "-R", "u+rwX", to.toString());
        }
        return lines;
    }

    /** Waits until the copies are on the disk: no backup's fsync shall wait for them. */
    void settle() throws IOException, InterruptedException {
        run("sync", "-f", root.toString());
    }

    /** Moves a folder out of reach, as if its disk were gone. */
    void hide(Path folder, String as) throws IOException {
        Path to = hidden(as);
        Files.createDirectories(to.getParent());
        Files.move(folder, to);
    }

    /** Where a hidden folder lies. */
    Path hidden(String as) {
        return root.resolve("out-of-reach").resolve(as);
    }

    /** Deletes a folder that no later step needs, unless everything is to be kept. */
    void discard(Path folder) throws IOException, InterruptedException {
        if (folder.equals(root) || !folder.startsWith(root)) {
            throw new IllegalArgumentException(folder + " does not lie in " + root);
        }
        if (!keep) {
            delete(folder);
        }
    }

    /** Everything goes, whatever its modes. */
    void delete() throws IOException, InterruptedException {
        delete(root);
    }

    private static void delete(Path folder) throws IOException, InterruptedException {
        run("rm", "-rf", "--one-file-system", folder.toString());
        if (Files.exists(folder)) {
            run("chmod", "-R", "u+rwX", folder.toString());
            run("rm", "-rf", "--one-file-system", folder.toString());
        }
        if (Files.exists(folder)) {
            throw new IOException("could not delete " + folder);
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectInput(new File("/dev/null"))
                .start()
                .waitFor();
    }
}
