package io.holdfast.node.api;

import java.util.List;

/** How long data stays, and how its bytes go: the part of {@link NodeApi} about it. */
public interface LifetimeApi {
    /** The policies, and of every data piece whether it stays and why. Asks the catalogs. */
    RetentionView retention();

    /** Data pieces expire now, by name. All or none; refused when a hold names one. */
    Saved<List<ExpiryView>> expire(Requests.Expire request);

    /** The legal holds. */
    List<HoldView> holds();

    /** A legal hold begins. */
    Saved<HoldView> hold(Requests.Hold request);

    /** A legal hold ends. Returns what it was. */
    Saved<HoldView> release(Requests.Release request);

    /** What the collectors of all stores know, and what was done lately. Asks every store. */
    GcView gc();

    /** Expires what is due, marks and sweeps every store now; blocks until it is done. */
    GcView collect();

    /** Why every byte of every store stays or goes. Changes nothing. */
    GcPlanView gcPlan();

    /** Declares the other site lost: nothing waits for it any more until it is heard again. */
    Saved<GcView> abandonSite(Requests.Abandon request);
}
