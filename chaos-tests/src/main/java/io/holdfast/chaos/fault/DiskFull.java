package io.holdfast.chaos.fault;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small file system of its own (tmpfs), which can be filled up and freed again. Root only. */
public final class DiskFull implements AutoCloseable {
    private final Path folder;

    private DiskFull(Path folder) {
        this.folder = folder;
    }

    /**
     * Mounts an empty file system.
     *
     * @param folder an empty folder, the mount point
     * @param bytes its size
     * @throws FaultUnavailable without root or without tmpfs
     */
    public static DiskFull mount(Path folder, long bytes) throws IOException, FaultUnavailable {
        Machine.requireRoot("a mount");
        Files.createDirectories(folder);
        Tool.Result result =
                Tool.run("mount", "-t", "tmpfs", "-o", "size=" + bytes, "tmpfs", folder.toString());
        if (!result.good()) {
            throw new FaultUnavailable("tmpfs cannot be mounted: " + result.output());
        }
        return new DiskFull(folder);
    }

    /** The mount point. */
    public Path folder() {
        return folder;
    }

    /** Fills the rest with a file of zeros, but for {@code leave} bytes. */
    public void fill(long leave) throws IOException {
        byte[] block = new byte[4096];
        try (OutputStream out = Files.newOutputStream(ballast())) {
            while (Files.getFileStore(folder).getUsableSpace() > leave + block.length) {
                out.write(block);
            }
        }
    }

    /** Takes the ballast away again. */
    public void free() throws IOException {
        Files.deleteIfExists(ballast());
    }

    private Path ballast() {
        return folder.resolve("ballast");
    }

    @Override
    public void close() throws IOException {
        Tool.must("umount", "-l", folder.toString());
    }
}
