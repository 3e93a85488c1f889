package io.holdfast.chunk.folder;

import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How the store writes: the edge at which tests let a disk fill up or fail. Nothing here may be
 * undone by {@link Thread#interrupt}: an interrupted thread must not close a pack for all others,
 * which is why packs are not written through a {@link FileChannel}.
 */
interface Disk {
    /** Ends the name of what will replace a file. */
    String TEMPORARY = ".tmp";

    /** Opens a file to write at its end, which is set to {@code length}; creates it if absent. */
    Appender append(Path file, long length) throws IOException;

    /** Replaces a file: temporary file, fsync, rename, fsync of the folder. */
    void replace(Path file, byte[] bytes) throws IOException;

    /**
     * Replaces a file by one of the same length that holds these stretches of it at their places, and
     * nothing between them; durable as {@link #replace} is.
     */
    void keepOnly(Path file, List<Stretch> stretches) throws IOException;

    /** Bytes of a file, from {@code from} up to {@code to}. */
    record Stretch(long from, long to) {}

    /** Makes the names in a folder durable. */
    void syncFolder(Path folder) throws IOException;

    /** A file that grows at its end. */
    interface Appender extends Closeable {
        /** Appends all the bytes, or throws; then the end of the file is unknown. */
        void write(byte[] bytes, int offset, int length) throws IOException;

        /** Makes all that was written durable, the length included. */
        void sync() throws IOException;

        /** Cuts the file. */
        void truncate(long length) throws IOException;
    }

    /** True when there is no room: out of space, quota, or the process's file size limit. */
    static boolean isFull(IOException e) {
        String message = String.valueOf(e.getMessage());
        return message.contains("No space left on device")
                || message.contains("Disk quota exceeded")
                || message.contains("File too large");
    }

    /** The real one. */
    Disk REAL =
            new Disk() {
                @Override
                public Appender append(Path file, long length) throws IOException {
                    return new RealAppender(file, length);
                }

                @Override
                public void replace(Path file, byte[] bytes) throws IOException {
                    Path temporary = file.resolveSibling(file.getFileName() + TEMPORARY);
                    try (FileOutputStream out = new FileOutputStream(temporary.toFile())) {
                        out.write(bytes);
                        out.getFD().sync();
                    } catch (IOException e) {
                        Files.deleteIfExists(temporary);
                        throw e;
                    }
                    Files.move(
                            temporary,
                            file,
                            StandardCopyOption.ATOMIC_MOVE,
                            StandardCopyOption.REPLACE_EXISTING);
                    syncFolder(java.util.Objects.requireNonNull(file.getParent()));
                }

                @Override
                public void keepOnly(Path file, List<Stretch> stretches) throws IOException {
                    Path temporary = file.resolveSibling(file.getFileName() + TEMPORARY);
                    Files.deleteIfExists(temporary);
                    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r");
                            RandomAccessFile out = new RandomAccessFile(temporary.toFile(), "rw")) {
                        byte[] buffer = new byte[1 << 20];
                        for (Stretch stretch : stretches) {
                            in.seek(stretch.from());
                            out.seek(stretch.from());
                            long left = stretch.to() - stretch.from();
                            while (left > 0) {
                                int some = (int) Math.min(left, buffer.length);
                                in.readFully(buffer, 0, some);
                                out.write(buffer, 0, some);
                                left -= some;
                            }
                        }
                        out.setLength(in.length());
                        out.getFD().sync();
                    } catch (IOException e) {
                        Files.deleteIfExists(temporary);
                        throw e;
                    }
                    Files.move(
                            temporary,
                            file,
                            StandardCopyOption.ATOMIC_MOVE,
                            StandardCopyOption.REPLACE_EXISTING);
                    syncFolder(java.util.Objects.requireNonNull(file.getParent()));
                }

                @Override
                public void syncFolder(Path folder) throws IOException {
                    boolean interrupted = false;
                    try {
                        while (true) {
                            try (FileChannel names =
                                    FileChannel.open(folder, StandardOpenOption.READ)) {
                                names.force(true);
                                return;
                            } catch (ClosedByInterruptException e) {
                                interrupted |= Thread.interrupted();
                            }
                        }
                    } finally {
                        if (interrupted) {
                            Thread.currentThread().interrupt();
                        }
                    }
                }
            };

    /** A {@link RandomAccessFile}: blocking, positioned, deaf to interrupts. */
    final class RealAppender implements Appender {
        private final Path path;
        private final RandomAccessFile file;
        private final @Nullable Object identity;

        RealAppender(Path path, long length) throws IOException {
            this.path = path;
            file = new RandomAccessFile(path.toFile(), "rw");
            try {
                truncate(length);
                identity = identity();
            } catch (IOException e) {
                file.close();
                throw e;
            }
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            file.write(bytes, offset, length);
        }

        /** What no name leads to is lost with the process, though its fsync succeeds. */
        @Override
        public void sync() throws IOException {
            file.getFD().sync();
            if (!Objects.equals(identity(), identity)) {
                throw new IOException(path + " is not the file any more that is written to");
            }
        }

        /** Of the file that has the name now; null where the file system has no identities. */
        private @Nullable Object identity() throws IOException {
            try {
                return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
            } catch (NoSuchFileException e) {
                throw new IOException(path + " was removed while it was written to", e);
            }
        }

        @Override
        public void truncate(long length) throws IOException {
            if (file.length() != length) {
                file.setLength(length);
            }
            file.seek(length);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
