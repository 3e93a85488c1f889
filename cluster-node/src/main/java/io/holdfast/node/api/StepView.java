package io.holdfast.node.api;

/**
 * One step of a long operation.
 *
 * @param name {@code promise}, {@code read tails}, {@code seed}, ...
 * @param millis how long it took
 * @param detail what came out of it; may be empty
 */
public record StepView(String name, long millis, String detail) {}
