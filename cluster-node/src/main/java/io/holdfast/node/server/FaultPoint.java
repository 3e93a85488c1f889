package io.holdfast.node.server;

import io.holdfast.catalog.CatalogDatabase;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a test of bad days lets a server die, as SIGKILL would end it: no finally, no hook, no close.
 * Asked for on the command line of the JVM only, so that no file of a node can; without it there is
 * nothing here.
 *
 * <table>
 * <caption>Fault points</caption>
 * <tr><th>property</th><th>the process ends with exit code 137</th></tr>
 * <tr><td>{@code -Dholdfast.fault.catalog=STEP}</td><td>whenever it comes to this of the {@link
 *     CatalogDatabase#STEPS} while it applies rows of the other site's catalog</td></tr>
 * </table>
 */
final class FaultPoint {
    static final String CATALOG = "holdfast.fault.catalog";

    /** What a shell says of a process that was ended by SIGKILL. */
    private static final int KILLED = 137;

    private static final Logger LOG = LoggerFactory.getLogger(FaultPoint.class);

    private FaultPoint() {}

    /** To be told each step of an apply. */
    static Consumer<String> catalog() {
        String fatal = System.getProperty(CATALOG);
        if (fatal == null) {
            return step -> {};
        }
        if (!CatalogDatabase.STEPS.contains(fatal)) {
            throw new IllegalArgumentException(
                    "Not a step in -D"
                            + CATALOG
                            + ": '"
                            + fatal
                            + "'; expected one of "
                            + CatalogDatabase.STEPS
                            + ".");
        }
        LOG.warn("A test has set -D{}: this server dies at step {} of an apply", CATALOG, fatal);
        return step -> {
            if (step.equals(fatal)) {
                System.err.println("Fault point " + CATALOG + ": dies at step " + step);
                Runtime.getRuntime().halt(KILLED);
            }
        };
    }
}
