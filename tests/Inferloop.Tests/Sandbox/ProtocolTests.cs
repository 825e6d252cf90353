using System.Text.Json.Nodes;
using System.Xml;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox;

/// <summary>What a protocol writes it reads back as the same document, for every shape of every model.</summary>
public sealed class ProtocolTests
{
    public static TheoryData<string> Models => [.. ServiceModels.Names];

    [Fact]
    public void The_index_knows_every_model_without_reading_it_whole()
    {
        Assert.Equal(ServiceModels.Names, ServiceModels.Index.Select(entry => entry.Name));
        Assert.Contains(ServiceModels.Index, entry => entry is { Name: "cloudwatch", SigningName: "monitoring", TargetPrefix: "GraniteServiceVersion20100801" });
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Outputs_survive_JSON_CBOR_and_XML(string name)
    {
        var model = ServiceModels.Get(name);
        var documents = new DocumentMaker(new Random(11));
        foreach (var operation in model.OperationNames.Select(operation => model.Operation(operation)!).Where(operation => operation.Output is not null))
        {
            var shape = operation.Output!;
            // S3's first form of notifications names two members alike, so nothing can tell them apart.
            if (operation.Name == "GetBucketNotification" || shape.Members.Any(member => member.Location is not null || member.IsStreaming || member.Shape.IsEventStream))
            {
                continue;
            }
            var document = documents.Structure(shape, 0);
            var expected = document.ToJsonString();
            if (model.Protocols.Any(kind => kind is ProtocolKind.Json or ProtocolKind.RestJson))
            {
                var json = Messages.Json(writer => JsonShapes.WriteStructure(writer, shape, document));
                AssertSame(expected, JsonShapes.ReadStructure(shape, JsonShapes.Parse(json)), operation.Name, "JSON");
            }
            if (model.Protocols.Contains(ProtocolKind.RpcV2Cbor))
            {
                var writer = new CborWriter();
                CborShapes.WriteStructure(writer, shape, document);
                AssertSame(expected, CborShapes.ReadStructure(shape, writer.ToArray()), operation.Name, "CBOR");
            }
            if (model.Protocols.Any(kind => kind is ProtocolKind.Query or ProtocolKind.RestXml))
            {
                var xml = Messages.Xml(writer => Wrapped(writer, shape, document));
                AssertSame(expected, XmlShapes.ReadStructure(shape, XmlShapes.Parse(xml)!), operation.Name, "XML");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Inputs_survive_form_parameters(string name)
    {
        var model = ServiceModels.Get(name);
        var ec2 = model.Protocol == ProtocolKind.Ec2;
        if (!ec2 && !model.Protocols.Contains(ProtocolKind.Query))
        {
            Assert.DoesNotContain(ProtocolKind.Query, model.Protocols);
            return;
        }
        var documents = new DocumentMaker(new Random(5));
        foreach (var operation in model.OperationNames.Select(operation => model.Operation(operation)!).Where(operation => operation.Input is not null))
        {
            var document = documents.Structure(operation.Input!, 0);
            var form = new List<KeyValuePair<string, string>>();
            FormParameters.Write(form, operation.Input!, document, "", ec2);
            AssertSame(document.ToJsonString(), QueryShapes.Read(operation.Input, form, ec2), operation.Name, "form");
        }
    }

    [Fact]
    public void Deep_and_broken_bodies_are_malformed_not_fatal()
    {
        Assert.Throws<MalformedInputException>(() => JsonShapes.Parse(System.Text.Encoding.ASCII.GetBytes(new string('[', 100_000))));
        Assert.Throws<MalformedInputException>(() => JsonShapes.Parse([0x7B, 0x22, 0xC7, 0x22, 0x3A, 0x31, 0x7D]));
        var input = ServiceModels.Get("ecs").Operation("CreateCluster")!.Input!;
        Assert.Throws<MalformedInputException>(() => JsonShapes.ReadStructure(input, JsonShapes.Parse("{\"clusterName\":\"\\ud800\"}"u8)));
        Assert.Throws<MalformedInputException>(() => JsonShapes.ReadStructure(input, JsonShapes.Parse("{\"clusterName\":\"a\",\"clusterName\":\"b\"}"u8)));
        Assert.Throws<MalformedInputException>(() => XmlShapes.Parse(System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("<a>", 100_000)))));
        Assert.Throws<MalformedInputException>(() => XmlShapes.Parse("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"u8.ToArray()));
        Assert.Throws<MalformedInputException>(() => new CborReader(Enumerable.Repeat((byte)0x81, 100_000).ToArray()).Read());
        Assert.Throws<MalformedInputException>(() => new CborReader(new byte[] { 0x9B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }).Read());
    }

    [Theory]
    [InlineData("ecs", "CreateCluster", """{"capacityProviders":"x"}""", "SerializationException")]
    [InlineData("dynamodb", "DescribeTable", "{}", "ValidationException", "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null")]
    [InlineData("dynamodb", "ListTables", """{"Limit":0}""", "ValidationException", "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")]
    [InlineData("kms", "DescribeKey", """{"KeyId":""}""", "ValidationException", "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1")]
    [InlineData("logs", "CreateLogGroup", """{"logGroupName":"a b"}""", "InvalidParameterException", @"1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+")]
    [InlineData("cloudformation", "ListStacks", """{"StackStatusFilter":["WRONG"]}""", "ValidationError")]
    [InlineData("ec2", "CreateVpc", """{"InstanceTenancy":"wrong"}""", "InvalidParameterValue")]
    [InlineData("rds", "DeleteDBInstance", "{}", "MissingParameter", "The request must contain the parameter DBInstanceIdentifier.")]
    public void Constraints_are_told_in_the_service_s_words(string service, string operation, string input, string code, string? message = null)
    {
        var model = ServiceModels.Get(service);
        var shape = model.Operation(operation)!;
        ServiceFault fault;
        try
        {
            var document = JsonShapes.ReadStructure(shape.Input!, JsonNode.Parse(input), lenient: service == "ec2");
            fault = Assert.Throws<ServiceFault>(() => InputValidator.Validate(model, shape, document));
        }
        catch (MalformedInputException e)
        {
            fault = InputValidator.Malformed(model, e);
        }
        Assert.Equal(code, fault.Code);
        if (message is not null)
        {
            Assert.Equal(message, fault.Message);
        }
    }

    private static void AssertSame(string expected, JsonObject actual, string operation, string protocol) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual.ToJsonString())), $"{operation} through {protocol}:\n{expected}\n{actual.ToJsonString()}");

    private static void Wrapped(XmlWriter writer, Shape shape, JsonObject document)
    {
        writer.WriteStartElement("Result", "urn:test");
        XmlShapes.WriteMembers(writer, shape, document);
        writer.WriteEndElement();
    }
}

/// <summary>Form parameters as AWS's description of the query protocols has them; written apart from the reader under test.</summary>
internal static class FormParameters
{
    public static void Write(List<KeyValuePair<string, string>> form, Shape shape, JsonObject document, string prefix, bool ec2)
    {
        foreach (var member in shape.Members)
        {
            if (document[member.Name] is { } value)
            {
                var name = ec2 ? member.QueryName ?? Upper(member.LocationName ?? member.Name) : member.LocationName ?? member.Name;
                if (!ec2 && member.Shape.Type == ShapeType.List && (member.Flattened || member.Shape.Flattened) && member.Shape.Item!.LocationName is { } item)
                {
                    name = item;
                }
                WriteValue(form, member, value, prefix + name, ec2);
            }
        }
    }

    private static void WriteValue(List<KeyValuePair<string, string>> form, ShapeMember member, JsonNode value, string name, bool ec2)
    {
        var shape = member.Shape;
        var flat = ec2 || member.Flattened || shape.Flattened;
        switch (value)
        {
            case JsonObject map when shape.Type == ShapeType.Map:
                var entry = 1;
                foreach (var (key, content) in map)
                {
                    var at = $"{name}{(flat ? "" : ".entry")}.{entry++}";
                    form.Add(new($"{at}.{shape.Key!.LocationName ?? "key"}", key));
                    WriteValue(form, shape.Value!, content!, $"{at}.{shape.Value!.LocationName ?? "value"}", ec2);
                }
                break;
            case JsonObject structure:
                Write(form, shape, structure, name + ".", ec2);
                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    WriteValue(form, shape.Item!, list[i]!, $"{name}{(flat ? "" : "." + (shape.Item!.LocationName ?? "member"))}.{i + 1}", ec2);
                }
                break;
            default:
                form.Add(new(name, Scalars.Text(value)!));
                break;
        }
    }

    private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
