package io.holdfast.chaos.fault;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A disk whose power can be cut: a file system in a file, loop-mounted. {@link #cut} shuts it down
 * without flushing anything, so that what was not fsynced is lost and every later call fails with
 * EIO; {@link #restore} mounts again what a machine would find after the power is back.
 *
 * <p>Needs root, loop devices, xfsprogs (its {@code xfs_io} shuts ext4 down, too).
 */
public final class PowerLoss implements AutoCloseable {
    private final Path image;
    private final Path folder;
    private boolean mounted;

    private PowerLoss(Path image, Path folder) {
        this.image = image;
        this.folder = folder;
    }

    /** File systems that can be shut down. */
    public enum FileSystem {
        /** ext4 with its journal. */
        EXT4,
        /** XFS. */
        XFS
    }

    /**
     * Makes and mounts an empty file system.
     *
     * @param folder where its image and its mount point are made
     * @param megabytes its size; XFS wants 300 at least
     * @throws FaultUnavailable with the reason
     */
    public static PowerLoss mount(Path folder, FileSystem type, int megabytes)
            throws IOException, FaultUnavailable {
        Machine.requireRoot("power loss on a loop mount");
        String name = type.name().toLowerCase(Locale.ROOT);
        Machine.requireTool("xfs_io", "xfsprogs");
        Machine.requireTool("mkfs." + name, type == FileSystem.XFS ? "xfsprogs" : "e2fsprogs");
        if (!Files.exists(Path.of("/dev/loop-control"))) {
            throw new FaultUnavailable("no loop devices: /dev/loop-control is missing");
        }
        Path image = folder.resolve(name + ".image");
        Path mountPoint = Files.createDirectories(folder.resolve(name + ".mount"));
        try (RandomAccessFile bytes = new RandomAccessFile(image.toFile(), "rw")) {
            bytes.setLength(megabytes * (1L << 20));
        }
        switch (type) {
            case EXT4 -> Tool.must("mkfs.ext4", "-q", "-F", image.toString());
            case XFS -> Tool.must("mkfs.xfs", "-q", "-f", image.toString());
        }
        PowerLoss disk = new PowerLoss(image, mountPoint);
        Tool.Result result = disk.tryMount();
        if (!result.good()) {
            throw new FaultUnavailable("loop mount of " + name + " failed: " + result.output());
        }
        return disk;
    }

    /** The mount point; before {@link #cut} and after {@link #restore} an ordinary folder. */
    public Path folder() {
        return folder;
    }

    /** The power goes. Whoever has files open here gets EIO from now on. */
    public void cut() throws IOException {
        Tool.must("xfs_io", "-x", "-c", "shutdown", folder.toString());
    }

    /** The power is back. The processes that used the disk must have ended. */
    public void restore() throws IOException {
        unmount();
        Tool.Result result = tryMount();
        if (!result.good()) {
            throw new IOException("cannot mount after the power loss: " + result.output());
        }
    }

    private Tool.Result tryMount() throws IOException {
        Tool.Result result = Tool.run("mount", "-o", "loop", image.toString(), folder.toString());
        mounted = result.good();
        return result;
    }

    private void unmount() throws IOException {
        Tool.must("umount", folder.toString());
        mounted = false;
    }

    @Override
    public void close() throws IOException {
        if (mounted) {
            Tool.must("umount", "-l", folder.toString());
            mounted = false;
        }
        Files.deleteIfExists(image);
    }
}
