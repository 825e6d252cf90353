using System.Globalization;
using System.Numerics;
using System.Text;

namespace Inferloop.Templates.Syntax;

/// <summary>Reads JSON into the same tree as YAML, with positions and JSON's own errors.</summary>
internal sealed class JsonReader
{
    private readonly string _text;
    private readonly NodeReading _reading;
    private int _at;
    private int _line = 1;
    private int _lineStart;

    private JsonReader(string text, NodeReading reading) => (_text, _reading) = (text, reading);

    public static Node Read(string text, NodeReading reading)
    {
        var reader = new JsonReader(text, reading);
        reader.SkipSpace();
        var root = reader.ReadValue(0);
        reader.SkipSpace();
        if (reader._at < text.Length)
        {
            throw reader.Fail("the template ends here, but more text follows");
        }

        return root ?? throw reader.Fail("a template is an object");
    }

    private SourceLocation Here => new(_reading.File, _line, _at - _lineStart + 1);

    private TemplateException Fail(string what) => _reading.Fatal(DiagnosticCodes.InvalidJson, $"JSON not well-formed: {what}.", Here);

    private void SkipSpace()
    {
        while (_at < _text.Length)
        {
            switch (_text[_at])
            {
                case '\n':
                    _at++;
                    _line++;
                    _lineStart = _at;
                    break;
                case ' ' or '\t' or '\r':
                    _at++;
                    break;
                default:
                    return;
            }
        }
    }

    private Node? ReadValue(int depth)
    {
        if (depth > NodeReading.MaximumDepth)
        {
            throw Fail($"values are nested deeper than {NodeReading.MaximumDepth} levels");
        }

        if (_at >= _text.Length)
        {
            throw Fail("the text ends where a value was expected");
        }

        var location = Here;
        var start = _at;
        switch (_text[_at])
        {
            case '{':
                return ReadObject(depth);
            case '[':
                return ReadArray(depth);
            case '"':
                var text = ReadString();
                return new ScalarNode(text, ScalarKind.String, location, start, _at);
            case '-' or (>= '0' and <= '9'):
                return ReadNumber(location);
            case '/':
                throw Fail("JSON has no comments; write the template in YAML to have them");
            case '\'':
                throw Fail("strings stand in double quotes");
            default:
                return ReadWord(location);
        }
    }

    private ScalarNode? ReadWord(SourceLocation location)
    {
        var start = _at;
        var end = _at;
        while (end < _text.Length && (char.IsAsciiLetterOrDigit(_text[end]) || _text[end] == '_'))
        {
            end++;
        }

        var word = _text[start..end];
        switch (word)
        {
            case "true" or "false":
                _at = end;
                return new ScalarNode(word, ScalarKind.Boolean, location, start, end);
            case "null":
                _at = end;
                _reading.NullValue(location);
                return null;
            case "":
                throw Fail(_text[_at] is '}' or ']' or ',' ? $"a value was expected before '{_text[_at]}'" : $"'{_text[_at]}' cannot start a value");
            default:
                throw Fail($"'{word}' is not a value; strings stand in double quotes");
        }
    }

    private ScalarNode ReadNumber(SourceLocation location)
    {
        var start = _at;
        if (_text[_at] == '-')
        {
            _at++;
        }

        var whole = Digits();
        if (whole == 0)
        {
            throw Fail("a digit was expected");
        }

        if (whole > 1 && _text[_at - whole] == '0')
        {
            throw Fail("a number cannot start with 0; if it is an identifier, put it in quotes");
        }

        var real = false;
        if (_at < _text.Length && _text[_at] == '.')
        {
            real = true;
            _at++;
            if (Digits() == 0)
            {
                throw Fail("a digit was expected after the decimal point");
            }
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            real = true;
            _at++;
            if (_at < _text.Length && _text[_at] is '+' or '-')
            {
                _at++;
            }

            if (Digits() == 0)
            {
                throw Fail("a digit was expected in the exponent");
            }
        }

        var text = _text[start.._at];
        if (!real && text.Length <= 128)
        {
            return new ScalarNode(BigInteger.Parse(text, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture), ScalarKind.Integer, location, start, _at);
        }

        return new ScalarNode(YamlScalars.JavaDouble(double.Parse(text, CultureInfo.InvariantCulture)), ScalarKind.Float, location, start, _at);
    }

    private int Digits()
    {
        var start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }

        return _at - start;
    }

    private string ReadString()
    {
        _at++;
        var plainEnd = _text.AsSpan(_at).IndexOfAny('"', '\\', '\n');
        if (plainEnd >= 0 && _text[_at + plainEnd] == '"' && !HasControl(_text.AsSpan(_at, plainEnd)))
        {
            var plain = _text.Substring(_at, plainEnd);
            _at += plainEnd + 1;
            return plain;
        }

        var value = new StringBuilder();
        while (true)
        {
            if (_at >= _text.Length)
            {
                throw Fail("the text ends inside a string");
            }

            var c = _text[_at];
            if (c == '"')
            {
                _at++;
                return value.ToString();
            }

            if (c == '\n')
            {
                throw Fail("a string ends on its own line; write a line break as \\n");
            }

            if (c < ' ')
            {
                throw Fail($"the control character U+{(int)c:X4} stands in a string");
            }

            if (c != '\\')
            {
                value.Append(c);
                _at++;
                continue;
            }

            value.Append(ReadEscape());
        }
    }

    private static bool HasControl(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c < ' ')
            {
                return true;
            }
        }

        return false;
    }

    private char ReadEscape()
    {
        if (_at + 1 >= _text.Length)
        {
            throw Fail("the text ends inside a string");
        }

        var c = _text[_at + 1];
        switch (c)
        {
            case '"' or '\\' or '/':
                break;
            case 'b':
                c = '\b';
                break;
            case 'f':
                c = '\f';
                break;
            case 'n':
                c = '\n';
                break;
            case 'r':
                c = '\r';
                break;
            case 't':
                c = '\t';
                break;
            case 'u' when _at + 6 <= _text.Length && ushort.TryParse(_text.AsSpan(_at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code):
                _at += 6;
                return (char)code;
            default:
                throw Fail($"'\\{c}' is not an escape");
        }

        _at += 2;
        return c;
    }

    private SequenceNode ReadArray(int depth)
    {
        var location = Here;
        var start = _at++;
        var items = new List<Node>();
        SkipSpace();
        if (_at < _text.Length && _text[_at] == ']')
        {
            _at++;
            return new SequenceNode(items, location, start, _at);
        }

        for (var index = 0; ; index++)
        {
            _reading.Push(index.ToString(CultureInfo.InvariantCulture));
            SkipSpace();
            if (_at < _text.Length && _text[_at] == ']')
            {
                throw Fail("a comma stands before ']'");
            }

            if (ReadValue(depth + 1) is { } item)
            {
                items.Add(item);
            }

            _reading.Pop();
            SkipSpace();
            if (_at >= _text.Length)
            {
                throw Fail("the text ends inside a list; ']' is missing");
            }

            if (_text[_at] == ']')
            {
                _at++;
                return new SequenceNode(items, location, start, _at);
            }

            if (_text[_at] != ',')
            {
                throw Fail("',' or ']' was expected");
            }

            _at++;
        }
    }

    private MappingNode ReadObject(int depth)
    {
        var location = Here;
        var start = _at++;
        var entries = new List<MappingEntry>();
        SkipSpace();
        if (_at < _text.Length && _text[_at] == '}')
        {
            _at++;
            return _reading.Mapping(entries, location, start, _at);
        }

        while (true)
        {
            SkipSpace();
            if (_at >= _text.Length)
            {
                throw Fail("the text ends inside an object; '}' is missing");
            }

            if (_text[_at] != '"')
            {
                throw Fail(_text[_at] == '}' ? "a comma stands before '}'" : "a key in double quotes was expected");
            }

            var keyLocation = Here;
            var key = ReadString();
            SkipSpace();
            if (_at >= _text.Length || _text[_at] != ':')
            {
                throw Fail($"':' was expected after the key '{key}'");
            }

            _at++;
            SkipSpace();
            _reading.Push(key);
            var value = ReadValue(depth + 1);
            _reading.Pop();
            if (value is not null)
            {
                entries.Add(new MappingEntry(key, keyLocation, value));
            }

            SkipSpace();
            if (_at >= _text.Length)
            {
                throw Fail("the text ends inside an object; '}' is missing");
            }

            if (_text[_at] == '}')
            {
                _at++;
                return _reading.Mapping(entries, location, start, _at);
            }

            if (_text[_at] != ',')
            {
                throw Fail("',' or '}' was expected");
            }

            _at++;
        }
    }
}
