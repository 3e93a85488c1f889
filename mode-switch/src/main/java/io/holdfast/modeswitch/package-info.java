/**
 * Pure decisions of a change of site: which site may act ({@link
 * io.holdfast.modeswitch.SiteMachine}), and which address an identifier means where ({@link
 * io.holdfast.modeswitch.Resolver}).
 *
 * <p>Nothing here names a clock, a thread, a file or a socket. Start with the transition table in
 * the Javadoc of {@link io.holdfast.modeswitch.SiteMachine}, and with {@code DESIGN.md} beside the
 * POM.
 */
@NullMarked
package io.holdfast.modeswitch;

import org.jspecify.annotations.NullMarked;
