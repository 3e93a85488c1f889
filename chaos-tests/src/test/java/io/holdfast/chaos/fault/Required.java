package io.holdfast.chaos.fault;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import org.junit.jupiter.api.Assumptions;

/** Skips a test with the reason where a fault cannot be injected; in CI that is a failure. */
public final class Required {
    private Required() {}

    /** Something that needs a fault. */
    public interface Fault<T> {
        T get() throws IOException, FaultUnavailable;
    }

    /** The fault, or the test is skipped; with HOLDFAST_REQUIRE_FAULTS=1 it fails instead. */
    public static <T> T orSkip(Fault<T> fault) throws IOException {
        try {
            return fault.get();
        } catch (FaultUnavailable unavailable) {
            if ("1".equals(System.getenv("HOLDFAST_REQUIRE_FAULTS"))) {
                return fail("HOLDFAST_REQUIRE_FAULTS=1, but " + unavailable.getMessage());
            }
            Assumptions.abort("skipped: " + unavailable.getMessage());
            throw new IllegalStateException(unavailable);
        }
    }
}
