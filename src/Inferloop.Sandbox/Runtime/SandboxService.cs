using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// A service of the sandbox: handlers of operations by name, over documents in the shapes of the service's model.
/// The protocols, the checks of the input and the shape of errors come from the model.
/// </summary>
internal abstract class SandboxService
{
    private readonly Dictionary<string, Func<RequestContext, JsonObject, Task<JsonObject>>> handlers = new(StringComparer.Ordinal);
    private readonly Lazy<ServiceModel> model;

    /// <param name="runtime">The sandbox.</param>
    /// <param name="modelName">The model's file name without extension, such as <c>ecs</c>.</param>
    protected SandboxService(SandboxRuntime runtime, string modelName)
    {
        Runtime = runtime;
        ModelName = modelName;
        model = new Lazy<ServiceModel>(() => ServiceModels.Get(modelName));
    }

    public SandboxRuntime Runtime { get; }

    public string ModelName { get; }

    public ServiceModel Model => model.Value;

    /// <summary>The operations that have a handler.</summary>
    public IReadOnlyCollection<string> Operations => handlers.Keys;

    public bool Implements(string operation) => handlers.ContainsKey(operation);

    /// <summary>
    /// Runs an operation: input checked against the model, then the handler. For calls over the wire and in process alike.
    /// </summary>
    public async Task<JsonObject> InvokeAsync(RequestContext context, string operation, JsonObject input)
    {
        var operationModel = Model.Operation(operation)
            ?? throw Model.UnknownOperation(operation);
        if (!handlers.TryGetValue(operation, out var handler))
        {
            throw ServiceFault.NotImplemented(Model.ServiceId, operation);
        }
        if (context.Request is null && operationModel.Input is { } shape)
        {
            // Calls inside the process bring template values: text where the model has numbers, and the reverse.
            input = ReadInput(shape, input);
        }
        InputValidator.Validate(Model, operationModel, input);
        if (context.Request is not null)
        {
            context.Operation = operation;
        }
        return await handler(context, input).ConfigureAwait(false);
    }

    private JsonObject ReadInput(Shape shape, JsonObject input)
    {
        try
        {
            return JsonShapes.ReadStructure(shape, input, lenient: true);
        }
        catch (MalformedInputException e)
        {
            throw InputValidator.Malformed(Model, e);
        }
    }

    protected void On(string operation, Func<RequestContext, JsonObject, JsonObject> handler) =>
        handlers[operation] = (context, input) => Task.FromResult(handler(context, input));

    protected void On(string operation, Func<RequestContext, JsonObject, Task<JsonObject>> handler) => handlers[operation] = handler;

    /// <summary>The entities of one kind in the caller's account and region.</summary>
    protected Collection Collection(RequestContext context, string name) => Runtime.Collection(ModelName, name, context);
}
