package io.holdfast.chaos.drill;

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
    /** Two copies, two stores of two clients, two restores: about six times the files. */
    private static final int TIMES = 6;

    /** Logs, databases, Raft logs and the drill's own random files. */
    private static final long OWN_BYTES = 1_500_000_000L;

    private final Path root;

    private Workspace(Path root) {
        this.root = root;
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
     * @throws DrillFailed when there is not enough space, or it would lie inside {@code source}
     */
    static Workspace create(Path source, Size size) throws IOException, DrillFailed {
        String wish = System.getenv("TMPDIR");
        Path base =
                Path.of(
                                wish == null || wish.isBlank()
                                        ? System.getProperty("java.io.tmpdir")
                                        : wish)
                        .toRealPath();
        if (base.startsWith(source)) {
            throw new DrillFailed(
                    "The temporary folder "
                            + base
                            + " lies inside "
                            + source
                            + ", which is only read; set TMPDIR to a folder outside of it");
        }
        long needed = TIMES * size.bytes() + OWN_BYTES;
        long free = Files.getFileStore(base).getUsableSpace();
        if (free < needed) {
            throw new DrillFailed(
                    "A drill on "
                            + Units.bytes(size.bytes())
                            + " needs about "
                            + Units.bytes(needed)
                            + " in "
                            + base
                            + ", and "
                            + Units.bytes(free)
                            + " are free; set TMPDIR to a larger disk or give a smaller folder");
        }
        return new Workspace(Files.createTempDirectory(base, "holdfast-drill-"));
    }

    /** How much the drill may need at most for a tree of this size. */
    static long needed(Size size) {
        return TIMES * size.bytes() + OWN_BYTES;
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
        Path to = root.resolve("out-of-reach").resolve(as);
        Files.createDirectories(to.getParent());
        Files.move(folder, to);
    }

    /** Everything goes, whatever its modes. */
    void delete() throws IOException, InterruptedException {
        run("rm", "-rf", "--one-file-system", root.toString());
        if (Files.exists(root)) {
            run("chmod", "-R", "u+rwX", root.toString());
            run("rm", "-rf", "--one-file-system", root.toString());
        }
        if (Files.exists(root)) {
            throw new IOException("could not delete " + root);
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
