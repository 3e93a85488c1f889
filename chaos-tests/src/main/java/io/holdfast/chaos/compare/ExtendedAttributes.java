package io.holdfast.chaos.compare;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads every extended attribute of a path, of all name spaces ({@code user}, {@code security},
 * {@code system}, and {@code trusted} for root), without following a symbolic link. The JDK's own
 * view shows {@code user} only, so this calls the C library. Linux. Stateless and thread-safe.
 */
final class ExtendedAttributes {
    private static final int ERANGE = 34;
    private static final int ENODATA = 61;
    private static final int EOPNOTSUPP = 95;

    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle LLISTXATTR =
            handle(
                    "llistxattr",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG));
    private static final MethodHandle LGETXATTR =
            handle(
                    "lgetxattr",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG));

    private ExtendedAttributes() {}

    @SuppressWarnings("restricted") // the C library has no safer door
    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup libc = linker.defaultLookup();
        return linker.downcallHandle(
                libc.findOrThrow(name), descriptor, Linker.Option.captureCallState("errno"));
    }

    /**
     * The attributes of a path, sorted by name; empty where the file system knows none.
     *
     * @param path bytes of an absolute path, without a final zero
     * @throws IOException when they cannot be listed or read
     */
    static SortedMap<String, byte[]> read(byte[] path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            MemorySegment file = arena.allocate(path.length + 1L);
            MemorySegment.copy(path, 0, file, ValueLayout.JAVA_BYTE, 0, path.length);
            byte[] names = grow(arena, state, file, MemorySegment.NULL);
            if (names.length == 0) {
                return Collections.emptySortedMap();
            }
            SortedMap<String, byte[]> found = new TreeMap<>();
            int start = 0;
            for (int i = 0; i < names.length; i++) {
                if (names[i] == 0) {
                    String name = new String(names, start, i - start, StandardCharsets.UTF_8);
                    start = i + 1;
                    found.put(name, grow(arena, state, file, arena.allocateFrom(name)));
                }
            }
            return found;
        }
    }

    /** Calls with a growing buffer; the list of names when {@code name} is NULL. */
    private static byte[] grow(
            Arena arena, MemorySegment state, MemorySegment file, MemorySegment name)
            throws IOException {
        boolean list = name.equals(MemorySegment.NULL);
        for (long size = 512; size <= 1 << 20; size *= 4) {
            MemorySegment buffer = arena.allocate(size);
            long length;
            try {
                length =
                        list
                                ? (long) LLISTXATTR.invokeExact(state, file, buffer, size)
                                : (long) LGETXATTR.invokeExact(state, file, name, buffer, size);
            } catch (Throwable impossible) {
                throw new IllegalStateException("call into the C library", impossible);
            }
            if (length >= 0) {
                return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
            }
            int errno = (int) ERRNO.get(state, 0L);
            if (errno == EOPNOTSUPP || errno == ENODATA) {
                return new byte[0];
            }
            if (errno != ERANGE) {
                throw new IOException("extended attributes: errno " + errno);
            }
        }
        throw new IOException("extended attributes larger than 1 MiB");
    }
}
