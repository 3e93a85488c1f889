/**
 * The media agent: the process at an endpoint that reads or writes data.
 *
 * <p>{@link io.holdfast.agent.AgentMain} starts it from an {@link io.holdfast.agent.AgentConfig};
 * {@link io.holdfast.agent.MediaAgentService} takes orders from the cluster's servers (the contract
 * is {@code agent.proto}) and runs them as jobs of {@code io.holdfast.agent.files}. Outcomes are kept
 * in the {@link io.holdfast.agent.JobBook} until the server has acknowledged them.
 */
@NullMarked
package io.holdfast.agent;

import org.jspecify.annotations.NullMarked;
