package io.holdfast.node.api;

import org.jspecify.annotations.Nullable;

/**
 * One entry of a data piece's tree.
 *
 * @param path relative to the piece's root, lossy UTF-8
 * @param type {@code file}, {@code directory}, {@code symlink}, {@code hardlink}, {@code fifo}, ...
 * @param mode permission bits, as a number
 * @param uid numeric owner
 * @param gid numeric group
 * @param mtimeNanos modification time, nanoseconds since 1970
 * @param size bytes
 * @param linkTarget of a symbolic link
 */
public record EntryView(
        String path,
        String type,
        int mode,
        int uid,
        int gid,
        long mtimeNanos,
        long size,
        @Nullable String linkTarget) {}
