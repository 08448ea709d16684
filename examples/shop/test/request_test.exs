defmodule Shop.RequestTest do
  use ExUnit.Case, async: true
  alias Shop.Request

  test "a request is parsed and what follows it is left alone" do
    bytes = "GET /slow?ms=5 HTTP/1.1\r\nHost: shop\r\nX-Odd-Name: Yes\r\n\r\nGET /"
    assert {:ok, request, "GET /"} = Request.parse(bytes)
    assert %{method: "GET", path: "/slow", query: "ms=5", keep_alive?: true} = request
    assert request.headers == %{"host" => "shop", "x-odd-name" => "Yes"}
  end

  test "a head that arrives byte by byte is complete only with its last byte" do
    bytes = "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\n"

    for size <- 0..(byte_size(bytes) - 1) do
      assert Request.parse(binary_part(bytes, 0, size)) == :more
    end

    assert {:ok, %{method: "POST", content_length: 3}, ""} = Request.parse(bytes)
  end

  test "empty lines before a request are skipped" do
    assert {:ok, %{path: "/"}, ""} = Request.parse("\r\n\r\nGET / HTTP/1.1\r\n\r\n")
  end

  test "a proxy's absolute target is the same path" do
    assert {:ok, %{path: "/x", query: "a=1"}, ""} =
             Request.parse("GET http://shop:80/x?a=1 HTTP/1.1\r\n\r\n")
  end

  test "HTTP/1.1 is kept alive unless it says close, HTTP/1.0 only if it asks" do
    assert keep_alive?("HTTP/1.1", "")
    refute keep_alive?("HTTP/1.1", "Connection: foo, Close\r\n")
    refute keep_alive?("HTTP/1.0", "")
    assert keep_alive?("HTTP/1.0", "Connection: Keep-Alive\r\n")
  end

  test "what is not HTTP/1 is refused" do
    assert {:error, 400} = Request.parse("\x16\x03\x01 hello\r\n\r\n")
    assert {:error, 400} = Request.parse("GET / HTTP/1.1\r\nno colon here\r\n\r\n")
    assert {:error, 505} = Request.parse("GET / HTTP/2.0\r\n\r\n")
  end

  test "a head without an end is refused once it is too long" do
    assert {:error, 431} = Request.parse("GET / HTTP/1.1\r\nX: " <> String.duplicate("x", 70_000))
  end

  test "a body whose end is in doubt is refused" do
    for length <- ["-1", "0x10", "3, 4", "", "1 2"] do
      assert {:error, 400} = post("Content-Length: #{length}\r\n")
    end

    assert {:error, 400} = post("Content-Length: 3\r\nContent-Length: 4\r\n")
    assert {:error, 400} = post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")
    assert {:error, 411} = post("Transfer-Encoding: chunked\r\n")
  end

  test "numbers in the query are held in their bounds" do
    {:ok, request, ""} = Request.parse("GET /?a=7&b=-1&c=900&d=x&e=%zz HTTP/1.1\r\n\r\n")
    assert Enum.map(~w(a b c d e f), &Request.number(request, &1, 1, 100)) == [7, 0, 100, 1, 1, 1]
  end

  defp post(headers), do: Request.parse("POST /echo HTTP/1.1\r\n" <> headers <> "\r\n")

  defp keep_alive?(version, headers) do
    {:ok, request, ""} = Request.parse("GET / #{version}\r\n#{headers}\r\n")
    request.keep_alive?
  end
end
