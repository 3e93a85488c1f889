package io.holdfast.agent.files;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/**
 * Does something in a thread that must obey file modes, also when the tests run as root. Linux keeps
 * capabilities by thread: this one lays down {@code CAP_DAC_OVERRIDE} and {@code CAP_DAC_READ_SEARCH}
 * before it begins, and the threads that it starts have what it has. It still is root, so it goes on
 * reading what root owns, class path and all, unless the mode takes that from the owner too.
 */
final class Unprivileged {
    private static final int VERSION_3 = 0x20080522;
    private static final int CAP_DAC_OVERRIDE = 1;
    private static final int CAP_DAC_READ_SEARCH = 2;

    private Unprivileged() {}

    /** The answer of {@code work}, or what it threw. */
    static <T> T call(Callable<T> work) throws Exception {
        CompletableFuture<Callable<T>> outcome = new CompletableFuture<>();
        Thread.ofPlatform()
                .name("unprivileged")
                .start(() -> {
                    try {
                        layDown();
                        T answer = work.call();
                        outcome.complete(() -> answer);
                    } catch (Exception e) {
                        outcome.complete(() -> {
                            throw e;
                        });
                    } catch (Throwable e) {
                        outcome.completeExceptionally(e);
                    }
                });
        return outcome.get().call();
    }

    private static void layDown() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocateFrom(JAVA_INT, VERSION_3, 0);
            // effective, permitted and inheritable, of the capabilities 0 to 31 and then 32 to 63
            MemorySegment sets = arena.allocate(JAVA_INT, 6);
            assertThat((int) capabilities("capget").invokeExact(header, sets)).isZero();
            int lower = sets.getAtIndex(JAVA_INT, 0);
            sets.setAtIndex(
                    JAVA_INT, 0, lower & ~(1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH));
            assertThat((int) capabilities("capset").invokeExact(header, sets)).isZero();
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle capabilities(String function) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow(function),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
    }
}
