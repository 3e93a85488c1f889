package io.holdfast.modeswitch;

/** An agent or a store: it obeys no epoch below the highest it has seen, and remembers that. */
final class SimAgent {
    final String name;
    private long highest;
    private long onDisk;
    private long obeyed;

    SimAgent(String name) {
        this.name = name;
    }

    /** @return 0 when it obeys, else the epoch that stands */
    long command(long epoch, boolean remembers) {
        if (epoch < highest) {
            return highest;
        }
        highest = epoch;
        if (remembers) {
            onDisk = epoch;
        }
        if (epoch < obeyed) {
            throw new SimViolation(
                    "I3: "
                            + name
                            + " obeyed "
                            + SimChecks.show(epoch)
                            + " after "
                            + SimChecks.show(obeyed));
        }
        obeyed = epoch;
        return 0;
    }

    void crash() {
        highest = onDisk;
    }
}
