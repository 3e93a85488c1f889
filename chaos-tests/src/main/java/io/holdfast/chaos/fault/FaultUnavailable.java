package io.holdfast.chaos.fault;

/** This machine cannot inject the fault; the message says why and what would help. */
public final class FaultUnavailable extends Exception {
    /** With the reason. */
    public FaultUnavailable(String reason) {
        super(reason);
    }
}
