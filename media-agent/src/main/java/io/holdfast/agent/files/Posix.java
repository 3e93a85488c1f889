package io.holdfast.agent.files;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The system calls that the JDK lacks, by {@code java.lang.foreign}: everything relative to an open
 * folder ({@code openat} and its kin, so that nobody can move a restore elsewhere by planting a
 * symlink), fifos and devices, times of symlinks in nanoseconds, extended attributes of every
 * namespace, {@code syncfs}. Linux on x86-64 and arm64. Thread-safe; no call holds a lock.
 */
final class Posix {
    /** The current folder of the process, as a folder descriptor. */
    static final int AT_FDCWD = -100;

    static final int S_IFMT = 0170000;
    static final int S_IFSOCK = 0140000;
    static final int S_IFLNK = 0120000;
    static final int S_IFREG = 0100000;
    static final int S_IFBLK = 0060000;
    static final int S_IFDIR = 0040000;
    static final int S_IFCHR = 0020000;
    static final int S_IFIFO = 0010000;

    static final int ENOENT = 2;
    static final int EPERM = 1;
    static final int EEXIST = 17;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int ERANGE = 34;
    static final int ELOOP = 40;
    static final int EOPNOTSUPP = 95;

    private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");
    static final int O_WRONLY = 1;
    static final int O_CREAT = 0100;
    static final int O_EXCL = 0200;
    static final int O_CLOEXEC = 02000000;
    static final int O_DIRECTORY = ARM ? 040000 : 0200000;
    static final int O_NOFOLLOW = ARM ? 0100000 : 0400000;

    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_REMOVEDIR = 0x200;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle OPENAT =
            variadic("openat", 3, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = handle("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle MKDIRAT =
            handle("mkdirat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SYMLINKAT =
            handle("symlinkat", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
    private static final MethodHandle LINKAT =
            handle("linkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle MKNODAT =
            handle("mknodat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
    private static final MethodHandle RENAMEAT =
            handle("renameat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
    private static final MethodHandle UNLINKAT =
            handle("unlinkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle FCHOWNAT =
            handle("fchownat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle FCHMODAT =
            handle("fchmodat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle FCHOWN =
            handle("fchown", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle FCHMOD = handle("fchmod", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle FUTIMENS = handle("futimens", JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle UTIMENSAT =
            handle("utimensat", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    private static final MethodHandle FSETXATTR =
            handle("fsetxattr", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle LLISTXATTR =
            handle("llistxattr", JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG);
    private static final MethodHandle LGETXATTR =
            handle("lgetxattr", JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
    private static final MethodHandle READLINKAT =
            handle("readlinkat", JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
    private static final MethodHandle SYNCFS = handle("syncfs", JAVA_INT, JAVA_INT);
    private static final MethodHandle GETEUID = handle("geteuid", JAVA_INT);
    private static final MethodHandle STRERROR = handle("strerror", ADDRESS, JAVA_INT);

    private Posix() {}

    /** A system call failed; the message is {@code call path: reason}. */
    static final class Failure extends IOException {
        private static final long serialVersionUID = 1;
        private final int errno;

        Failure(String call, byte[] path, int errno) {
            super(call + " " + PathBytes.text(path) + ": " + reason(errno));
            this.errno = errno;
        }

        int errno() {
            return errno;
        }
    }

    /** Opens; the caller closes. {@code O_CLOEXEC} is added. */
    static int openat(int folder, byte[] name, int flags, int mode) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int fd =
                    (int)
                            OPENAT.invokeExact(
                                    state, folder, text(arena, name), flags | O_CLOEXEC, mode);
            return check(fd, state, "open", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void close(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            var _ = (int) CLOSE.invokeExact(arena.allocate(STATE), fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void mkdirat(int folder, byte[] name, int mode) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) MKDIRAT.invokeExact(state, folder, text(arena, name), mode);
            check(result, state, "mkdir", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void symlinkat(byte[] target, int folder, byte[] name) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result =
                    (int)
                            SYMLINKAT.invokeExact(
                                    state, text(arena, target), folder, text(arena, name));
            check(result, state, "symlink", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Makes a hard link; a symlink is linked itself, never what it points to. */
    static void linkat(int fromFolder, byte[] from, int toFolder, byte[] to) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result =
                    (int)
                            LINKAT.invokeExact(
                                    state,
                                    fromFolder,
                                    text(arena, from),
                                    toFolder,
                                    text(arena, to),
                                    0);
            check(result, state, "link", to);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Makes a fifo or a device.
     *
     * @param mode type and permissions
     */
    static void mknodat(int folder, byte[] name, int mode, long device) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) MKNODAT.invokeExact(state, folder, text(arena, name), mode, device);
            check(result, state, "mknod", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Renames within a folder; an existing file is replaced. */
    static void renameat(int folder, byte[] from, byte[] to) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result =
                    (int)
                            RENAMEAT.invokeExact(
                                    state, folder, text(arena, from), folder, text(arena, to));
            check(result, state, "rename", from);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void unlinkat(int folder, byte[] name, boolean directory) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result =
                    (int)
                            UNLINKAT.invokeExact(
                                    state, folder, text(arena, name), directory ? AT_REMOVEDIR : 0);
            check(result, state, "unlink", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Changes the owner; of a symlink itself. */
    static void lchownat(int folder, byte[] name, int uid, int gid) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result =
                    (int)
                            FCHOWNAT.invokeExact(
                                    state,
                                    folder,
                                    text(arena, name),
                                    uid,
                                    gid,
                                    AT_SYMLINK_NOFOLLOW);
            check(result, state, "chown", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Changes permissions of a fifo or device that was just made; would follow a symlink. */
    static void chmodat(int folder, byte[] name, int mode) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) FCHMODAT.invokeExact(state, folder, text(arena, name), mode, 0);
            check(result, state, "chmod", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void fchown(int fd, int uid, int gid, byte[] path) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) FCHOWN.invokeExact(state, fd, uid, gid);
            check(result, state, "chown", path);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void fchmod(int fd, int mode, byte[] path) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) FCHMOD.invokeExact(state, fd, mode);
            check(result, state, "chmod", path);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Sets the time of change, and the time of access to the same. */
    static void futimens(int fd, long mtimeNanos, byte[] path) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) FUTIMENS.invokeExact(state, fd, times(arena, mtimeNanos));
            check(result, state, "utimens", path);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@link #futimens} by name; of a symlink itself. */
    static void lutimensat(int folder, byte[] name, long mtimeNanos) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result =
                    (int)
                            UTIMENSAT.invokeExact(
                                    state,
                                    folder,
                                    text(arena, name),
                                    times(arena, mtimeNanos),
                                    AT_SYMLINK_NOFOLLOW);
            check(result, state, "utimens", name);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void fsetxattr(int fd, String name, byte[] value, byte[] path) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment bytes = arena.allocate(Math.max(1, value.length));
            MemorySegment.copy(value, 0, bytes, JAVA_BYTE, 0, value.length);
            int result =
                    (int)
                            FSETXATTR.invokeExact(
                                    state,
                                    fd,
                                    text(arena, name.getBytes(StandardCharsets.ISO_8859_1)),
                                    bytes,
                                    (long) value.length,
                                    0);
            check(result, state, "setxattr " + name, path);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Names of a file's extended attributes, each byte one char; empty where there are none. */
    static List<String> llistxattr(byte[] path) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment name = text(arena, path);
            long room = 256;
            while (true) {
                MemorySegment list = arena.allocate(room);
                long size = (long) LLISTXATTR.invokeExact(state, name, list, room);
                if (size < 0 && errno(state) == EOPNOTSUPP) {
                    return List.of();
                }
                if (size < 0 && errno(state) == ERANGE && room < 1 << 17) {
                    room *= 8;
                    continue;
                }
                if (size < 0) {
                    throw new Failure("listxattr", path, errno(state));
                }
                return names(list.asSlice(0, size).toArray(JAVA_BYTE));
            }
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> names(byte[] list) {
        List<String> names = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < list.length; i++) {
            if (list[i] == 0) {
                names.add(new String(list, from, i - from, StandardCharsets.ISO_8859_1));
                from = i + 1;
            }
        }
        return names;
    }

    static byte[] lgetxattr(byte[] path, String name) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment file = text(arena, path);
            MemorySegment key = text(arena, name.getBytes(StandardCharsets.ISO_8859_1));
            long room = 512;
            while (true) {
                MemorySegment value = arena.allocate(room);
                long size = (long) LGETXATTR.invokeExact(state, file, key, value, room);
                if (size < 0 && errno(state) == ERANGE && room < 1 << 17) {
                    room *= 16;
                    continue;
                }
                if (size < 0) {
                    throw new Failure("getxattr " + name, path, errno(state));
                }
                return value.asSlice(0, size).toArray(JAVA_BYTE);
            }
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Where a symlink points, exactly. */
    static byte[] readlink(byte[] path) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment target = arena.allocate(4096);
            long size =
                    (long)
                            READLINKAT.invokeExact(
                                    state, AT_FDCWD, text(arena, path), target, 4096L);
            if (size < 0) {
                throw new Failure("readlink", path, errno(state));
            }
            return target.asSlice(0, size).toArray(JAVA_BYTE);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Brings to disk all that was written to the file system of an open file. */
    static void syncfs(int fd, byte[] path) throws Failure {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) SYNCFS.invokeExact(state, fd);
            check(result, state, "syncfs", path);
        } catch (Failure e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** True when this process may give files away and make devices. */
    static boolean isRoot() {
        try (Arena arena = Arena.ofConfined()) {
            return (int) GETEUID.invokeExact(arena.allocate(STATE)) == 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @SuppressWarnings("restricted")
    private static String reason(int errno) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(arena.allocate(STATE), errno);
            return text.reinterpret(256).getString(0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static int check(int result, MemorySegment state, String call, byte[] path)
            throws Failure {
        if (result < 0) {
            throw new Failure(call, path, errno(state));
        }
        return result;
    }

    private static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    private static MemorySegment text(Arena arena, byte[] bytes) {
        MemorySegment segment = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /** Two {@code struct timespec}: access, change. */
    private static MemorySegment times(Arena arena, long nanos) {
        MemorySegment times = arena.allocate(JAVA_LONG, 4);
        for (int i = 0; i < 4; i += 2) {
            times.setAtIndex(JAVA_LONG, i, Math.floorDiv(nanos, 1_000_000_000L));
            times.setAtIndex(JAVA_LONG, i + 1L, Math.floorMod(nanos, 1_000_000_000L));
        }
        return times;
    }

    private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... args) {
        return link(name, FunctionDescriptor.of(result, args), new Linker.Option[0]);
    }

    private static MethodHandle variadic(
            String name, int firstVariadic, MemoryLayout result, MemoryLayout... args) {
        return link(
                name,
                FunctionDescriptor.of(result, args),
                Linker.Option.firstVariadicArg(firstVariadic));
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(
            String name, FunctionDescriptor function, Linker.Option... options) {
        Linker.Option[] all = Arrays.copyOf(options, options.length + 1);
        all[options.length] = Linker.Option.captureCallState("errno");
        return LINKER.downcallHandle(
                LINKER.defaultLookup()
                        .find(name)
                        .orElseThrow(
                                () -> new UnsupportedOperationException("no system call " + name)),
                function,
                all);
    }
}
