package io.holdfast.agent.files;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Folders below a restore's target, opened step by step: each from its parent's descriptor, never
 * through a symlink. Whoever replaces a folder by a symlink while the restore runs gets an error, not
 * a file in another place. Keeps the last path open, because neighbours come together. One per
 * thread, not thread-safe; the target's descriptor is shared and not closed here.
 */
final class TargetFolders implements AutoCloseable {
    private final int target;
    private final List<byte[]> names = new ArrayList<>();
    private final List<Integer> descriptors = new ArrayList<>();

    TargetFolders(int target) {
        this.target = target;
    }

    /**
     * A descriptor of a folder, valid until the next call.
     *
     * @param relative path below the target, names joined by slashes; empty for the target
     */
    int open(byte[] relative) throws Posix.Failure {
        int depth = 0;
        int from = 0;
        while (from < relative.length) {
            int to = from;
            while (to < relative.length && relative[to] != '/') {
                to++;
            }
            byte[] name = Arrays.copyOfRange(relative, from, to);
            if (depth == names.size() || !Arrays.equals(names.get(depth), name)) {
                truncate(depth);
                int fd =
                        Posix.openat(
                                depth == 0 ? target : descriptors.get(depth - 1),
                                name,
                                Posix.O_DIRECTORY | Posix.O_NOFOLLOW,
                                0);
                names.add(name);
                descriptors.add(fd);
            }
            depth++;
            from = to + 1;
        }
        truncate(depth);
        return depth == 0 ? target : descriptors.get(depth - 1);
    }

    /** Forgets what is open, because modes have changed. */
    void reset() {
        truncate(0);
    }

    private void truncate(int depth) {
        while (names.size() > depth) {
            names.removeLast();
            Posix.close(descriptors.removeLast());
        }
    }

    @Override
    public void close() {
        truncate(0);
    }

    /** The path by which the JDK reaches an open file, whatever its name is by now. */
    static Path byDescriptor(int fd) {
        return Path.of("/proc/self/fd/" + fd);
    }

    /** The part of a relative path before its last name; empty when there is none. */
    static byte[] parent(byte[] relative) {
        for (int i = relative.length - 1; i >= 0; i--) {
            if (relative[i] == '/') {
                return Arrays.copyOf(relative, i);
            }
        }
        return new byte[0];
    }

    /** The last name of a relative path. */
    static byte[] last(byte[] relative) {
        byte[] parent = parent(relative);
        return Arrays.copyOfRange(
                relative, parent.length == 0 ? 0 : parent.length + 1, relative.length);
    }

    /** Bytes of a text, as UTF-8. */
    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
