package io.holdfast.agent.epoch;

import io.holdfast.standard.Epoch;

/** A request of an epoch lower than one that was obeyed before. Refused: certainly not done. */
public final class StaleEpochException extends Exception {
    private final Epoch offered;
    private final Epoch max;

    /** Tells that {@code offered} came after {@code max} had been obeyed. */
    public StaleEpochException(Epoch offered, Epoch max) {
        super(
                "Refused epoch "
                        + offered
                        + ": epoch "
                        + max
                        + " has been obeyed here. The sender must learn the cluster's present epoch");
        this.offered = offered;
        this.max = max;
    }

    /** The epoch of the request. */
    public Epoch offered() {
        return offered;
    }

    /** The highest epoch obeyed. */
    public Epoch max() {
        return max;
    }
}
