/**
 * What two nodes say to each other outside Raft ({@code holdfast/site/v1/site.proto}): the
 * acknowledgement that a write has reached the other site ({@link
 * io.holdfast.modeswitch.SiteAckBook} decides, {@link
 * io.holdfast.replication.site.SiteAckSender} and {@link
 * io.holdfast.replication.site.ProtectionWatch} carry), promises, log tails, and the opening and
 * closing of lineages.
 *
 * <p>{@link io.holdfast.replication.site.SiteService} serves a {@link
 * io.holdfast.replication.site.SiteHandler}; {@link io.holdfast.replication.site.RaftSiteHandler} is
 * the one that a node uses.
 */
@NullMarked
package io.holdfast.replication.site;

import org.jspecify.annotations.NullMarked;
